#include "team.hpp"

#include <chrono>
#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace ostinato {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto LINGER = std::chrono::microseconds(30);   // a helper looks out for the next call so long
constexpr auto PATIENCE = std::chrono::microseconds(150);  // a caller waits so long for a helper that has to wake
constexpr size_t PAGE = 4096, KEPT = 4;
}  // namespace

Team::Team(int size) : size_(size < 1 ? 1 : size > 200 ? 200 : size) {
  for (int i = 1; i < size_; ++i) helpers_.emplace_back([this] { help(); });
}

Team::~Team() {
  {
    std::lock_guard<std::mutex> lock(sleep_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& helper : helpers_) helper.join();
  for (auto& piece : free_) std::free(piece.first);
}

void Team::run(int wanted, Call call, void* context) {
  std::unique_lock<std::mutex> mine(busy_, std::try_to_lock);
  const int most = wanted < size_ ? wanted : size_;
  if (!mine.owns_lock() || most <= 1) {
    Barrier barrier(1);
    call(context, 0, 1, barrier);
    return;
  }
  Job job;
  job.call = call, job.context = context;
  job_.store(&job, std::memory_order_release);
  const uint64_t generation = (open_.load(std::memory_order_relaxed) >> 16) + 1;
  open_.store(generation << 16 | static_cast<uint64_t>(most - 1) << 8, std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_seq_cst) > 0) {
    apart();
    std::lock_guard<std::mutex> lock(sleep_);
    wake_.notify_all();
  }
  const auto end = Clock::now() + PATIENCE;
  uint64_t word = open_.load(std::memory_order_acquire);
  for (int turns = 0; (word >> 8 & 255) != 0; word = open_.load(std::memory_order_acquire)) {
    pause_or_yield(turns);
    if (turns % 64 == 0 && Clock::now() > end) break;
  }
  while (!open_.compare_exchange_weak(word, generation << 16, std::memory_order_acq_rel)) {
  }
  const int members = 1 + static_cast<int>(word & 255);
  Barrier barrier(members);
  job.barrier = &barrier;
  job.members.store(members, std::memory_order_release);
  call(context, 0, members, barrier);
  int turns = 0;
  while (job.done.load(std::memory_order_acquire) != members - 1) pause_or_yield(turns);
}

// A helper that wakes on the core where its caller waits for it would not be moved before the next tick, milliseconds later.
void Team::apart() {
#if defined(__linux__)
  const int here = sched_getcpu();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (here < 0 || here == apart_from_ || sched_getaffinity(0, sizeof(set), &set) != 0) return;
  CPU_CLR(here, &set);
  if (CPU_COUNT(&set) < static_cast<int>(helpers_.size())) return;
  for (auto& helper : helpers_) pthread_setaffinity_np(helper.native_handle(), sizeof(set), &set);
  apart_from_ = here;
#endif
}

bool Team::join(uint64_t word) {
  while ((word >> 8 & 255) != 0) {
    if (!open_.compare_exchange_weak(word, word - (1 << 8) + 1, std::memory_order_acq_rel)) continue;
    // The caller waits for everyone who has taken a place, so the job stays where it is.
    Job* job = job_.load(std::memory_order_acquire);
    const int member = 1 + static_cast<int>(word & 255);
    int turns = 0, members;
    while ((members = job->members.load(std::memory_order_acquire)) == 0) pause_or_yield(turns);
    job->call(job->context, member, members, *job->barrier);
    job->done.fetch_add(1, std::memory_order_release);
    return true;
  }
  return false;
}

void Team::help() {
  auto end = Clock::now() + LINGER;
  for (int turns = 0;;) {
    if (join(open_.load(std::memory_order_acquire))) {
      end = Clock::now() + LINGER;
      turns = 0;
      continue;
    }
    pause_or_yield(turns);
    if (turns % 64 != 0 || Clock::now() < end) continue;
    std::unique_lock<std::mutex> lock(sleep_);
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, [this] { return stop_ || (open_.load(std::memory_order_seq_cst) >> 8 & 255) != 0; });
    sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    if (stop_) return;
    turns = 0;
    end = Clock::now() + LINGER;
  }
}

void* Team::take(size_t bytes, size_t& got) {
  {
    std::lock_guard<std::mutex> lock(memory_);
    size_t best = free_.size();
    for (size_t i = 0; i < free_.size(); ++i)
      if (free_[i].second >= bytes && (best == free_.size() || free_[i].second < free_[best].second)) best = i;
    if (best < free_.size()) {
      auto piece = free_[best];
      free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(best));
      got = piece.second;
      return piece.first;
    }
  }
  got = (bytes + PAGE - 1) / PAGE * PAGE;
  void* memory = std::aligned_alloc(PAGE, got == 0 ? PAGE : got);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void Team::give(void* memory, size_t bytes) {
  void* dropped = nullptr;
  {
    std::lock_guard<std::mutex> lock(memory_);
    free_.emplace_back(memory, bytes);
    if (free_.size() > KEPT) {
      size_t least = 0;
      for (size_t i = 1; i < free_.size(); ++i)
        if (free_[i].second < free_[least].second) least = i;
      dropped = free_[least].first;
      free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(least));
    }
  }
  std::free(dropped);
}

}  // namespace ostinato
