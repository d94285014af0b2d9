// A matrix of few entries times several vectors.
#pragma once

#include "simd.hpp"

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

template <class T>
bool sparse(const Sparse<T>& s) {
  uint32_t largest = 0;
  for (int64_t k = 0; k < s.entries; ++k) largest = std::max(largest, static_cast<uint32_t>(s.columns[k]));
  if (s.entries > 0 && largest >= static_cast<uint64_t>(s.columns_of_x)) return false;
  for (int64_t block = 0; block < s.blocks; ++block) {
    const int32_t* starts = s.starts + block * s.rows;
    const bool first = block == 0;
    for (int64_t row = 0; row < s.rows; ++row) {
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
  return true;
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
