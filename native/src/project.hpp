// The input product inside the loop: a stretch of steps at a time, read again while it is in a cache, never written whole.
#pragma once

#include <vector>

#include "product.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

constexpr int64_t STRETCH = int64_t(1) << 17;  // bytes of what a thread projects ahead

// The sizes of one thread's share.
template <class T>
struct ProjectionSizes {
  Cut cut{};
  int64_t rows = 0, steps = 0;
  ProjectionSizes() = default;
  ProjectionSizes(const Forward<T>& f, const Cut& c, int64_t rows_) : cut(c), rows(rows_) {
    const int64_t each = std::max<int64_t>(1, rows * apart()) * int64_t(sizeof(T));
    steps = std::max<int64_t>(1, std::min(f.time, STRETCH / each));
  }
  int64_t padded() const { return cut.blocks() * cut.units(); }
  int64_t apart() const { return cut.gates * padded(); }
};

template <class T>
class Projection {
 public:
  struct Memory {
    T* sums;        // (steps x rows, apart)
    T** at;         // (steps, batch): where a row's product begins
    const T** rows;  // what is multiplied
  };

  Projection(const Forward<T>& f, const ProjectionSizes<T>& sizes, const Memory& memory, const T* packed, const T* bias)
      : f_(f), sizes_(sizes), memory_(memory), product_(sizes.cut, packed, bias) {}

  // By row of the batch: what comes from the input at the s-th step, for the units from..to at least.
  T* const* of(int64_t s, const std::vector<int32_t>& mine, int64_t from, int64_t to) {
    if (s < first_ || s >= end_) fill(s, mine, from, to);
    return memory_.at + (s - first_) * f_.batch;
  }
  // Other units are asked for from now on.
  void forget() { first_ = end_ = 0; }

 private:
  void fill(int64_t s, const std::vector<int32_t>& mine, int64_t from, int64_t to) {
    first_ = s, end_ = std::min(f_.time, s + sizes_.steps);
    int64_t count = 0;
    for (int64_t k = first_; k < end_; ++k) {
      const int64_t t = f_.reverse ? f_.time - 1 - k : k;
      for (int32_t b : mine) {
        if (f_.mask && !f_.mask[t * f_.batch + b]) continue;
        memory_.rows[count] = f_.x + (t * f_.batch + b) * f_.inputs;
        memory_.at[(k - first_) * f_.batch + b] = memory_.sums + count++ * sizes_.apart();
      }
    }
    if (count == 0) return;
    const int64_t step = sizes_.cut.units();
    for (int64_t block = from / step; block * step < to; ++block)
      product_(block, memory_.rows, count, memory_.sums + block * step, sizes_.padded(), sizes_.apart());
  }

  const Forward<T>& f_;
  ProjectionSizes<T> sizes_;
  Memory memory_;
  Product<T> product_;
  int64_t first_ = 0, end_ = 0;
};

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
