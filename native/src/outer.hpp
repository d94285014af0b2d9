// The product over time that makes the gradient of a matrix: sums over steps and rows of one vector times another.
#pragma once

#include <algorithm>

#include "simd.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

constexpr int OUTER_VECTORS = 3, OUTER_ROWS = ACCUMULATORS / OUTER_VECTORS;
constexpr int OUTER_GROUP = 8;       // tiles packed together, so that their part of a row is fetched at once
constexpr int64_t OUTER_CHUNK = 96;  // pairs taken at a time: a packed panel of them stays in the first cache

constexpr int64_t outer_tiles(int64_t rows) { return (rows + OUTER_ROWS - 1) / OUTER_ROWS; }

template <class T>
constexpr int64_t padded_columns(int64_t columns) {
  return (columns + LANES<T> - 1) / LANES<T> * LANES<T>;
}

template <class T>
int64_t outer_scratch(int64_t columns, int64_t more_columns = 0) {
  return OUTER_CHUNK * (padded_columns<T>(columns) + padded_columns<T>(more_columns) + OUTER_GROUP * OUTER_ROWS);
}

// C += A^T B for OUTER_ROWS columns of A and NV vectors of columns of B, both packed [k][...].
template <class T, int NV>
void outer(const T* a, const T* b, int64_t K, T* C, int64_t stride, int64_t rows, int64_t columns, bool add) {
  constexpr int L = LANES<T>, MR = OUTER_ROWS;
  Vec<T> acc[MR][NV];
  each<MR>([&](auto i) { each<NV>([&](auto j) { acc[i][j] = fill<T>(0); }); });
  for (int64_t i = 0; i < rows && add; ++i)
    for (int64_t j = 0; j < columns; j += L) __builtin_prefetch(C + i * stride + j, 1);
  for (int64_t k = 0; k < K; ++k, a += MR, b += NV * L) {
    Vec<T> v[NV];
    each<NV>([&](auto j) { v[j] = load<T>(b + j * L); });
    each<MR>([&](auto i) {
      const T x = a[i];
      each<NV>([&](auto j) { acc[i][j] += x * v[j]; });
    });
  }
  if (rows == MR && columns == NV * L) {
    each<MR>([&](auto i) {
      each<NV>([&](auto j) {
        T* at = C + i * stride + j * L;
        store<T>(at, add ? load<T>(at) + acc[i][j] : acc[i][j]);
      });
    });
    return;
  }
  alignas(BYTES) T tile[MR * NV * L];
  each<MR>([&](auto i) { each<NV>([&](auto j) { store<T>(tile + (i * NV + j) * L, acc[i][j]); }); });
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) C[i * stride + j] = (add ? C[i * stride + j] : T(0)) + tile[i * NV * L + j];
}

// Sums over `pairs` of a-row x b-row: vectors of `hidden` entries against one or two kinds of rows, whose matrices are
// made together, so that what is on the left is read once.
// * `a_at(pair, vector)`, `b_at(kind, pair)` say where they lie, `c_at(kind, vector)` where the matrix (hidden, columns[kind])
//   goes, or null; `sum_at(vector)` where the sum of the left side alone goes, or null.
// * `tiles` are cut from each vector; these are from..to of all of them. A chunk of pairs is taken at a time.
// * UPPER leaves out what is left of the diagonal.
template <class T, bool UPPER, class A, class B, class C, class S>
class OuterProduct {
 public:
  OuterProduct(int64_t hidden, const int64_t (&columns)[2], const int64_t* pairs, int64_t count, A a_at, B b_at, C c_at, S sum_at,
               T* scratch)
      : hidden_(hidden), columns_{columns[0], columns[1]}, pairs_(pairs), count_(count), a_at_(a_at), b_at_(b_at), c_at_(c_at),
        sum_at_(sum_at), a_(scratch), b_(scratch + OUTER_CHUNK * OUTER_GROUP * OUTER_ROWS) {}

  void operator()(int64_t from, int64_t to) {
    const int64_t tiles = outer_tiles(hidden_);
    for (start_ = 0; start_ < std::max<int64_t>(count_, 1); start_ += OUTER_CHUNK) {
      n_ = std::min(OUTER_CHUNK, count_ - start_);
      pack_right();
      for (int64_t m = from; m < to;) {
        const int64_t vector = m / tiles, first = m % tiles;
        const int64_t group = group_of(first, first + to - m);
        multiply(vector, first, group);
        m += group;
      }
    }
  }

 private:
  static constexpr int64_t L = LANES<T>, WIDTH = OUTER_VECTORS * L, R = OUTER_ROWS;
  typedef T Piece __attribute__((vector_size(R * sizeof(T))));
  typedef T Loose __attribute__((vector_size(R * sizeof(T)), aligned(sizeof(T)), may_alias));

  // Panels of WIDTH columns, [pair][column], filled up with zeros to whole vectors.
  void pack_right() {
    T* panel = b_;
    for (int kind = 0; kind < 2; ++kind)
      for (int64_t column = 0; column < columns_[kind]; column += WIDTH) {
        const int64_t valid = std::min(WIDTH, columns_[kind] - column), width = padded_columns<T>(valid);
        for (int64_t k = 0; k < n_; ++k, panel += width) {
          const T* row = b_at_(kind, pairs_[start_ + k]) + column;
          int64_t j = 0;
          for (; j + L <= valid; j += L) store<T>(panel + j, load<T>(row + j));
          for (; j < width; ++j) panel[j] = j < valid ? row[j] : T(0);
        }
      }
  }

  // N tiles of R entries, [tile][pair][entry], and their sums over the pairs.
  template <int N>
  void pack_whole(int64_t vector, int64_t at, T* sums) {
    Piece total[N];
    each<N>([&](auto j) { total[j] = Piece{}; });
    T* to = a_;
    for (int64_t k = 0; k < n_; ++k, to += R) {
      const T* row = a_at_(pairs_[start_ + k], vector) + at;
      each<N>([&](auto j) {
        const Piece piece = *reinterpret_cast<const Loose*>(row + j * R);
        *reinterpret_cast<Loose*>(to + j * n_ * R) = piece;
        total[j] += piece;
      });
    }
    each<N>([&](auto j) { *reinterpret_cast<Loose*>(sums + j * R) = total[j]; });
  }

  // The last tile of a vector, filled up with zeros.
  void pack_part(int64_t vector, int64_t at, int64_t valid, T* sums) {
    for (int64_t k = 0; k < n_; ++k) {
      const T* row = a_at_(pairs_[start_ + k], vector) + at;
      for (int64_t i = 0; i < R; ++i) a_[k * R + i] = i < valid ? row[i] : T(0), sums[i] += a_[k * R + i];
    }
  }

  // How many tiles are packed together from this one on.
  int64_t group_of(int64_t first, int64_t end) const {
    const int64_t whole = std::min(end, hidden_ / R) - first;
    return whole >= OUTER_GROUP ? OUTER_GROUP : whole >= 4 ? 4 : whole >= 2 ? 2 : 1;
  }

  void pack_left(int64_t vector, int64_t first, int64_t group) {
    const int64_t at = first * R, valid = std::min(group * R, hidden_ - at);
    T sums[OUTER_GROUP * R] = {};
    if (group == OUTER_GROUP)
      pack_whole<OUTER_GROUP>(vector, at, sums);
    else if (group == 4)
      pack_whole<4>(vector, at, sums);
    else if (group == 2)
      pack_whole<2>(vector, at, sums);
    else if (valid == R)
      pack_whole<1>(vector, at, sums);
    else
      pack_part(vector, at, valid, sums);
    if (T* sum = sum_at_(vector))
      for (int64_t i = 0; i < valid; ++i) sum[at + i] = (start_ > 0 ? sum[at + i] : T(0)) + sums[i];
  }

  void multiply(int64_t vector, int64_t first, int64_t group) {
    pack_left(vector, first, group);
    const T* panel = b_;
    for (int kind = 0; kind < 2; ++kind) {
      T* c = c_at_(kind, vector);
      for (int64_t column = 0; column < columns_[kind]; column += WIDTH) {
        const int64_t valid = std::min(WIDTH, columns_[kind] - column), width = padded_columns<T>(valid);
        for (int64_t j = 0; c != nullptr && j < group; ++j) {
          const int64_t row = (first + j) * R;
          if (UPPER && column + width <= row) continue;
          const auto run = width == L ? outer<T, 1> : width == 2 * L ? outer<T, 2> : outer<T, 3>;
          run(a_ + j * n_ * R, panel, n_, c + row * columns_[kind] + column, columns_[kind], std::min(R, hidden_ - row), valid,
              start_ > 0);
        }
        panel += n_ * width;
      }
    }
  }

  const int64_t hidden_, columns_[2];
  const int64_t* pairs_;
  const int64_t count_;
  A a_at_;
  B b_at_;
  C c_at_;
  S sum_at_;
  T *a_, *b_;
  int64_t start_ = 0, n_ = 0;
};

template <class T, bool UPPER = false, class A, class B, class C, class S>
void outer_product(int64_t hidden, const int64_t (&columns)[2], const int64_t* pairs, int64_t count, A a_at, B b_at, C c_at,
                   S sum_at, int64_t from, int64_t to, T* scratch) {
  OuterProduct<T, UPPER, A, B, C, S>(hidden, columns, pairs, count, a_at, b_at, c_at, sum_at, scratch)(from, to);
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
