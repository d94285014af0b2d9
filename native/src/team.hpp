// Threads that share one call: gathered for it where they are free, done without where they are not.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace ostinato {

// Waits a little in place, then lets others have the core: a neighbour that holds it must not be waited for in vain. Where
// two who wait for one another were put on the same core, yielding may change nothing until the next tick; sleeping does.
constexpr int PATIENT = 2000, YIELDING = 2000;

inline void pause_or_yield(int& turns) {
  if (++turns < PATIENT) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  } else if (turns < PATIENT + YIELDING) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(std::chrono::microseconds(5));
  }
}

class Barrier {
 public:
  explicit Barrier(int members) : members_(members) {}
  // True once so much was spent waiting for someone who had no core that it is not worth going on together: the same
  // answer for all who meet here.
  bool wait() {
    if (members_ == 1) return false;
    const uint32_t now = turn_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
      arrived_.store(0, std::memory_order_relaxed);
      crowded_ = wasted(TICK);
      turn_.store(now + 1, std::memory_order_release);
      return crowded_;
    }
    Clock::time_point late;
    for (int turns = 0; turn_.load(std::memory_order_acquire) == now;) {
      pause_or_yield(turns);
      if (turns == PATIENT) late = Clock::now();
      if (turns >= PATIENT && turn_.load(std::memory_order_acquire) != now)
        lost_.fetch_add(since(late) / (members_ - 1), std::memory_order_relaxed);
    }
    return crowded_;
  }
  // Whether more than half of the time, and more than so many nanoseconds, went into such waiting.
  bool wasted(int64_t least) const {
    const int64_t lost = lost_.load(std::memory_order_relaxed);
    return lost > least && 2 * lost > since(begin_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int64_t TICK = 4'000'000;  // nanoseconds until a system that is slow to act puts things right
  static int64_t since(Clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - then).count();
  }

  const int members_;
  const Clock::time_point begin_ = Clock::now();
  std::atomic<int64_t> lost_{0};  // nanoseconds of waiting so long that another program must have had the core
  bool crowded_ = false;          // written before a turn ends, read after it
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<uint32_t> turn_{0};
};

class Team {
 public:
  explicit Team(int size);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  // work(member, barrier, members) on up to `wanted` threads, this one among them; returns when all are done. Work is
  // shared by `members`, the number that came: one of two callers at a time, and one whose helpers are busy, runs alone.
  template <class F>
  void together(int wanted, F work) {
    auto call = [](void* context, int member, int members, Barrier& barrier) {
      (*static_cast<F*>(context))(member, members, barrier);
    };
    run(wanted, call, &work);
  }

  // The same for work that meets at every step: it goes alone for a while after the cores turned out to be taken.
  template <class F>
  void in_step(int wanted, F work) {
    if (alone_.load(std::memory_order_relaxed) > 0) {
      alone_.fetch_sub(1, std::memory_order_relaxed);
      wanted = 1;
    }
    auto step = [&](int member, int members, Barrier& barrier) {
      work(member, members, barrier);
      const bool crowded = barrier.wait();
      if (member != 0 || members == 1) return;
      pause_ = crowded || barrier.wasted(SLIGHT) ? std::min(2 * pause_.load() + 4, LONGEST) : 0;
      alone_ = pause_.load();
    };
    together(wanted, step);
  }

  // Memory that outlives a call, so that its pages are mapped once; given back by the destructor of Scratch.
  void* take(size_t bytes, size_t& got);
  void give(void* memory, size_t bytes);

 private:
  using Call = void (*)(void*, int, int, Barrier&);
  struct Job {
    Call call;
    void* context;
    std::atomic<int> members{0};  // set once all who come are there
    std::atomic<int> done{0};
    Barrier* barrier = nullptr;
  };
  void run(int wanted, Call call, void* context);
  void help();
  bool join(uint64_t word);
  void apart();

  static constexpr int LONGEST = 250;         // calls
  static constexpr int64_t SLIGHT = 100'000;  // nanoseconds
  int size_;
  std::atomic<int> alone_{0}, pause_{0};  // calls still to be made alone, and how many there were last time
  std::mutex busy_;
  // generation << 16 | places left << 8 | places taken; one word, so that a helper that is late cannot join a later job.
  alignas(64) std::atomic<uint64_t> open_{0};
  std::atomic<Job*> job_{nullptr};
  std::mutex sleep_;
  std::condition_variable wake_;
  std::atomic<int> sleeping_{0};
  bool stop_ = false;
  std::vector<std::thread> helpers_;
  int apart_from_ = -1;  // the core that the helpers keep off
  std::mutex memory_;
  std::vector<std::pair<void*, size_t>> free_;

 public:
  double worth = 2e6;  // multiply-adds of a call for which helpers are called
};

class Scratch {
 public:
  Scratch(Team& team, size_t bytes) : team_(team), memory_(static_cast<char*>(team.take(bytes, size_))) {}
  ~Scratch() { team_.give(memory_, size_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  char* at() const { return memory_; }

 private:
  Team& team_;
  size_t size_ = 0;
  char* memory_;
};

}  // namespace ostinato
