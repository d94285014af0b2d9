// What this machine can do at most: reads from each cache, multiply-adds on registers.
#pragma once

#include <chrono>
#include <vector>

#include "simd.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

// Bytes a second that one thread reads from a buffer of this size, again and again.
inline double reading(int64_t bytes, double seconds) {
  constexpr int N = 8;
  const int64_t count = std::max<int64_t>(bytes / int64_t(sizeof(float)) / (N * LANES<float>), 1) * N * LANES<float>;
  std::vector<float> buffer(count, 1.0f);
  Vec<float> sums[N];
  each<N>([&](auto i) { sums[i] = fill<float>(0); });
  const auto begin = std::chrono::steady_clock::now();
  double passed = 0, done = 0;
  while (passed < seconds) {
    for (int again = 0; again < 8; ++again) {
      for (int64_t i = 0; i < count; i += N * LANES<float>)
        each<N>([&](auto j) { sums[j] += load<float>(buffer.data() + i + j * LANES<float>); });
      done += double(count) * sizeof(float);
    }
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  volatile float keep = 0;
  each<N>([&](auto i) { keep = keep + sums[i][0]; });
  return done / passed;
}

// Multiply-adds on registers alone: what the machine can do at most.
inline double peak(double seconds) {
  constexpr int N = ACCUMULATORS / 2;
  Vec<float> acc[N], x = fill<float>(0.999f), y = fill<float>(0.001f);
  each<N>([&](auto i) { acc[i] = fill<float>(float(i)); });
  const auto begin = std::chrono::steady_clock::now();
  double passed = 0, done = 0;
  while (passed < seconds) {
    for (int k = 0; k < 20000; ++k) {
      each<N>([&](auto i) { acc[i] = acc[i] * x + y; });
    }
    done += 20000.0 * N * LANES<float> * 2;
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  volatile float keep = 0;
  each<N>([&](auto i) { keep = keep + acc[i][0]; });
  return done / passed;
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
