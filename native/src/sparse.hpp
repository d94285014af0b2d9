// A matrix of few entries times several vectors.
#pragma once

#include <atomic>

#include "simd.hpp"
#include "team.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

// N vectors of the result of a row at a time: each entry of the matrix meets a stretch of x, so that nothing is gathered.
template <class T, int N>
void sparse_stretch(const Sparse<T>& s, int64_t from, int64_t row, const int32_t* starts, bool first) {
  Vec<T> sums[N];
  T* y = s.y + row * s.width + from;
  each<N>([&](auto i) { sums[i] = first ? fill<T>(0) : load<T>(y + i * LANES<T>); });
  for (int64_t k = starts[row]; k < starts[row + 1]; ++k) {
    const Vec<T> value = fill<T>(s.values[k]);
    const T* x = s.x + s.columns[k] * s.width + from;
    each<N>([&](auto i) { sums[i] += value * load<T>(x + i * LANES<T>); });
  }
  each<N>([&](auto i) { store<T>(y + i * LANES<T>, sums[i]); });
}

// The rows from one to another of a block of columns.
template <class T>
void sparse_rows(const Sparse<T>& s, int64_t block, int64_t from, int64_t to) {
  const int32_t* starts = s.starts + block * s.rows;
  const bool first = block == 0;
  for (int64_t row = from; row < to; ++row) {
    int64_t at = 0;
    for (; at + 4 * LANES<T> <= s.width; at += 4 * LANES<T>) sparse_stretch<T, 4>(s, at, row, starts, first);
    for (; at + 2 * LANES<T> <= s.width; at += 2 * LANES<T>) sparse_stretch<T, 2>(s, at, row, starts, first);
    for (; at + LANES<T> <= s.width; at += LANES<T>) sparse_stretch<T, 1>(s, at, row, starts, first);
    for (; at < s.width; ++at) {
      // Four sums side by side: one alone would wait for itself at every entry.
      T sums[4] = {first ? T(0) : s.y[row * s.width + at], 0, 0, 0};
      int64_t k = starts[row];
      auto term = [&](int64_t e) { return s.values[e] * s.x[s.columns[e] * s.width + at]; };
      for (; k + 4 <= starts[row + 1]; k += 4)
        for (int i = 0; i < 4; ++i) sums[i] += term(k + i);
      for (; k < starts[row + 1]; ++k) sums[0] += term(k);
      s.y[row * s.width + at] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  }
}

// Each thread takes rows of its own and looks at their columns before it follows them.
template <class T>
bool sparse(const Sparse<T>& s, Team& team) {
  std::atomic<bool> fits{true};
  const int wanted = 2.0 * double(s.entries) * double(s.width) < team.worth ? 1 : team.size();
  team.together(wanted, [&](int member, int members, Barrier&) {
    const int64_t from = s.rows * member / members, to = s.rows * (member + 1) / members;
    uint32_t largest = 0;
    int64_t entries = 0;
    for (int64_t block = 0; block < s.blocks; ++block) {
      const int32_t* starts = s.starts + block * s.rows;
      entries += starts[to] - starts[from];
      for (int64_t k = starts[from]; k < starts[to]; ++k) largest = std::max(largest, static_cast<uint32_t>(s.columns[k]));
    }
    if (entries > 0 && largest >= static_cast<uint64_t>(s.columns_of_x)) {
      fits.store(false, std::memory_order_relaxed);
      return;
    }
    for (int64_t block = 0; block < s.blocks; ++block) sparse_rows(s, block, from, to);
  });
  return fits.load(std::memory_order_relaxed);
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
