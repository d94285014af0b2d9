// Matrix products in registers: weights packed once into panels, and the product over time that makes their gradient.
#pragma once

#include <algorithm>

#include "simd.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

// rows x panel: MR rows of numbers that are broadcast, a panel [k][NV vectors]. K is unrolled KU times into sums of
// their own where the tile is too small to hide the latency of the multiply-adds.
template <class T, int MR, int NV, int KU>
void micro(const T* const* rows, int64_t K, const T* panel, const T* initial, T* const* out, int64_t stride) {
  constexpr int L = LANES<T>;
  Vec<T> acc[KU][MR][NV];
  const T* a[MR];
  each<MR>([&](auto i) { a[i] = rows[i]; });
  each<NV>([&](auto j) {
    Vec<T> first = initial ? load<T>(initial + j * L) : fill<T>(0);
    each<MR>([&](auto i) { acc[0][i][j] = first; });
  });
  each<KU - 1>([&](auto m) { each<MR>([&](auto i) { each<NV>([&](auto j) { acc[m + 1][i][j] = fill<T>(0); }); }); });
  int64_t k = 0;
  for (; k + KU <= K; k += KU, panel += KU * NV * L) {
    each<KU>([&](auto m) {
      Vec<T> b[NV];
      each<NV>([&](auto j) { b[j] = load<T>(panel + (m * NV + j) * L); });
      each<MR>([&](auto i) {
        const T x = a[i][k + m];
        each<NV>([&](auto j) { acc[m][i][j] += x * b[j]; });
      });
    });
  }
  for (; k < K; ++k, panel += NV * L)
    each<MR>([&](auto i) { each<NV>([&](auto j) { acc[0][i][j] += a[i][k] * load<T>(panel + j * L); }); });
  each<MR>([&](auto i) {
    each<NV>([&](auto j) {
      each<KU - 1>([&](auto m) { acc[0][i][j] += acc[m + 1][i][j]; });
      store<T>(out[j] + i * stride, acc[0][i][j]);
    });
  });
}

template <class T>
using Micro = void (*)(const T* const*, int64_t, const T*, const T*, T* const*, int64_t);

constexpr int most_rows(int vectors) { return std::min(8, std::max(1, ACCUMULATORS / vectors)); }

constexpr int unrolled(int rows, int vectors) {
  const int tile = rows * vectors;
  return tile <= 2 ? 4 : tile <= 5 ? 2 : 1;
}

template <class T, int NV, int MR>
Micro<T> choose_rows(int64_t rows) {
  if constexpr (MR == 1)
    return micro<T, 1, NV, unrolled(1, NV)>;
  else
    return rows >= MR ? micro<T, MR, NV, unrolled(MR, NV)> : choose_rows<T, NV, MR - 1>(rows);
}

template <class T>
Micro<T> choose_micro(int64_t rows, int64_t vectors) {
  switch (vectors) {
    case 1: return choose_rows<T, 1, most_rows(1)>(rows);
    case 2: return choose_rows<T, 2, most_rows(2)>(rows);
    case 3: return choose_rows<T, 3, most_rows(3)>(rows);
    default: return choose_rows<T, 4, most_rows(4)>(rows);
  }
}

// How the columns of a product (gates x units) are cut into panels: blocks of units, up to four gates of them at a time.
struct Cut {
  int64_t gates = 0, hidden = 0, inner = 0;
  int64_t across = 1;   // vectors of units in a block
  int64_t groups = 1;   // panels of a block, one for each four gates
  int64_t lanes = 1;    // of a vector
  int64_t units() const { return across * lanes; }
  int64_t blocks() const { return (hidden + units() - 1) / units(); }
  int64_t group_gates(int64_t group) const { return std::min<int64_t>(4, gates - 4 * group); }
  int64_t vectors(int64_t group) const { return across * group_gates(group); }
  int64_t block_size() const { return across * gates * lanes * inner; }
  int64_t panel(int64_t block, int64_t group) const { return block * block_size() + 4 * group * across * lanes * inner; }
  int64_t size() const { return blocks() * block_size(); }
};

template <class T>
Cut cut(int64_t gates, int64_t hidden, int64_t inner) {
  Cut c;
  c.gates = gates, c.hidden = hidden, c.inner = inner, c.lanes = LANES<T>;
  const int64_t vectors = (hidden + c.lanes - 1) / c.lanes;
  c.across = std::max<int64_t>(1, std::min<int64_t>(gates == 1 ? 4 : gates == 2 ? 2 : 1, vectors));
  c.groups = (gates + 3) / 4;
  return c;
}

// Vector v of a panel holds gate 4 group + v % g of the block's vector v / g.
template <class T>
void pack_forward(const Cut& c, const T* R, int64_t block, T* packed) {
  constexpr int64_t STEP = 32;
  for (int64_t group = 0; group < c.groups; ++group) {
    T* panel = packed + c.panel(block, group);
    const int64_t g = c.group_gates(group), width = c.vectors(group) * c.lanes;
    for (int64_t from = 0; from < c.inner; from += STEP) {
      const int64_t to = std::min(c.inner, from + STEP);
      for (int64_t v = 0; v < c.vectors(group); ++v) {
        for (int64_t l = 0; l < c.lanes; ++l) {
          const int64_t u = block * c.units() + (v / g) * c.lanes + l;
          T* at = panel + v * c.lanes + l;
          if (u < c.hidden) {
            const T* row = R + ((4 * group + v % g) * c.hidden + u) * c.inner;
            for (int64_t k = from; k < to; ++k) at[k * width] = row[k];
          } else {
            for (int64_t k = from; k < to; ++k) at[k * width] = T(0);
          }
        }
      }
    }
  }
}

// The transposed product has one gate: its rows are R's own rows, cut into blocks of columns.
template <class T>
void pack_backward(const Cut& c, const T* R, int64_t block, T* packed) {
  T* at = packed + c.panel(block, 0);
  const int64_t first = block * c.units(), valid = std::min(c.units(), c.hidden - first);
  for (int64_t k = 0; k < c.inner; ++k, at += c.units()) {
    std::memcpy(at, R + k * c.hidden + first, valid * sizeof(T));
    std::fill(at + valid, at + c.units(), T(0));
  }
}

// Biases in the order of the panels' columns, zero beyond the last unit.
template <class T>
void pack_bias(const Cut& c, const T* bias, T* packed) {
  for (int64_t block = 0; block < c.blocks(); ++block)
    for (int64_t group = 0; group < c.groups; ++group) {
      const int64_t g = c.group_gates(group);
      for (int64_t v = 0; v < c.vectors(group); ++v)
        for (int64_t l = 0; l < c.lanes; ++l) {
          const int64_t u = block * c.units() + (v / g) * c.lanes + l;
          *packed++ = u < c.hidden ? bias[(4 * group + v % g) * c.hidden + u] : T(0);
        }
    }
}

// The product of some rows with one block after the other. How a number of rows is cut into calls of the micro-kernel is
// found once: where there is little to multiply, finding it would take as long.
template <class T>
class Product {
 public:
  // `bias`: as packed above, or null.
  Product(const Cut& c, const T* packed, const T* bias) : c_(c), packed_(packed), bias_(bias) {}

  // Into slots: gate g of the block at out + g * gate_stride.
  void operator()(int64_t block, const T* const* rows, int64_t count, T* out, int64_t gate_stride, int64_t row_stride) {
    const Known& known = known_[0].count == count ? known_[0] : known_[1].count == count ? known_[1] : learn(count);
    const T* panel = packed_ + c_.panel(block, 0);
    const T* bias = bias_ ? bias_ + block * c_.across * c_.gates * c_.lanes : nullptr;
    for (int64_t group = 0; group < c_.groups; ++group) {
      const int64_t g = c_.group_gates(group), vectors = c_.vectors(group);
      T* to[4];
      for (int64_t a = 0, v = 0; a < c_.across; ++a)
        for (int64_t i = 0; i < g; ++i) to[v++] = out + (4 * group + i) * gate_stride + a * c_.lanes;
      const Cuts& cuts = known.by_vectors[vectors - 1];
      const T* const* from = rows;
      for (int64_t piece = 0; piece < cuts.pieces; ++piece) {
        const bool more = piece >= cuts.smaller;
        const int64_t n = cuts.size + more;
        (more ? cuts.large : cuts.small)(from, c_.inner, panel, bias, to, row_stride);
        from += n;
        for (int64_t v = 0; v < vectors; ++v) to[v] += n * row_stride;
      }
      panel += vectors * c_.lanes * c_.inner;
      if (bias) bias += vectors * c_.lanes;
    }
  }

 private:
  // Rows are shared out evenly: six and six rather than eight and four.
  struct Cuts {
    int64_t pieces = 0, smaller = 0, size = 0;
    Micro<T> small = nullptr, large = nullptr;
  };
  struct Known {
    int64_t count = -1;
    Cuts by_vectors[4];
  };

  const Known& learn(int64_t count) {
    known_[1] = known_[0];
    known_[0].count = count;
    for (int64_t vectors = 1; vectors <= 4; ++vectors) {
      Cuts& cuts = known_[0].by_vectors[vectors - 1];
      const int64_t most = most_rows(static_cast<int>(vectors));
      cuts.pieces = (count + most - 1) / most;
      cuts.size = cuts.pieces ? count / cuts.pieces : 0;
      cuts.smaller = cuts.pieces - (cuts.pieces ? count % cuts.pieces : 0);
      cuts.small = choose_micro<T>(cuts.size, vectors), cuts.large = choose_micro<T>(cuts.size + 1, vectors);
    }
    return known_[0];
  }

  Cut c_;
  const T *packed_, *bias_;
  Known known_[2];
};

// C += A^T B for MR columns of A and NV vectors of columns of B, both packed [k][...].
template <class T, int MR, int NV>
void outer(const T* a, const T* b, int64_t K, T* C, int64_t stride, int64_t rows, int64_t columns, bool add) {
  constexpr int L = LANES<T>;
  Vec<T> acc[MR][NV];
  each<MR>([&](auto i) { each<NV>([&](auto j) { acc[i][j] = fill<T>(0); }); });
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

constexpr int OUTER_VECTORS = 2, OUTER_ROWS = ACCUMULATORS / OUTER_VECTORS;
constexpr int64_t OUTER_CHUNK = 256;

constexpr int64_t outer_tiles(int64_t rows) { return (rows + OUTER_ROWS - 1) / OUTER_ROWS; }

constexpr int64_t panel_width(int64_t lanes) { return OUTER_VECTORS * lanes; }

template <class T>
int64_t outer_panels(int64_t columns) {
  return (columns + panel_width(LANES<T>) - 1) / panel_width(LANES<T>);
}

template <class T>
int64_t outer_scratch(int64_t columns, int64_t more_columns = 0) {
  return OUTER_CHUNK * ((outer_panels<T>(columns) + outer_panels<T>(more_columns)) * panel_width(LANES<T>) + OUTER_ROWS);
}

// Sums over `pairs` of a-row x b-row: vectors of `hidden` entries against one or two kinds of rows, whose matrices are
// made together, so that what is on the left is read once.
// * `a_at(pair, vector)`, `b_at(kind, pair)` say where they lie, `c_at(kind, vector)` where the matrix (hidden, columns[kind])
//   goes, or null; `sum_at(vector)` where the sum of the left side alone goes, or null.
// * `tiles` are cut from each vector; these are from..to of all of them. A chunk of pairs is taken at a time.
// * UPPER leaves out what is left of the diagonal.
template <class T, bool UPPER = false, class A, class B, class C, class S>
void outer_product(int64_t hidden, const int64_t (&columns)[2], const int64_t* pairs, int64_t count, A a_at, B b_at, C c_at,
                   S sum_at, int64_t from, int64_t to, T* scratch) {
  constexpr int64_t width = OUTER_VECTORS * LANES<T>;
  const int64_t first_panels = outer_panels<T>(columns[0]), panels = first_panels + outer_panels<T>(columns[1]);
  const int64_t tiles = outer_tiles(hidden);
  T *b = scratch, *a = scratch + OUTER_CHUNK * panels * width;
  for (int64_t start = 0; start < std::max<int64_t>(count, 1); start += OUTER_CHUNK) {
    const int64_t n = std::min(OUTER_CHUNK, count - start);
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t p = 0; p < panels; ++p) {
        const int kind = p >= first_panels;
        const int64_t column = (p - kind * first_panels) * width, valid = std::min(width, columns[kind] - column);
        const T* row = b_at(kind, pairs[start + k]) + column;
        T* at = b + (p * n + k) * width;
        if (valid == width) {
          each<OUTER_VECTORS>([&](auto j) { store<T>(at + j * LANES<T>, load<T>(row + j * LANES<T>)); });
        } else {
          std::memcpy(at, row, valid * sizeof(T));
          std::fill(at + valid, at + width, T(0));
        }
      }
    }
    for (int64_t m = from; m < to; ++m) {
      const int64_t vector = m / tiles, first = (m % tiles) * OUTER_ROWS, rows = std::min<int64_t>(OUTER_ROWS, hidden - first);
      T sums[OUTER_ROWS] = {};
      for (int64_t k = 0; k < n; ++k) {
        const T* row = a_at(pairs[start + k], vector) + first;
        T* at = a + k * OUTER_ROWS;
        if (rows == OUTER_ROWS)
          std::memcpy(at, row, OUTER_ROWS * sizeof(T));
        else
          for (int64_t i = 0; i < OUTER_ROWS; ++i) at[i] = i < rows ? row[i] : T(0);
        for (int64_t i = 0; i < OUTER_ROWS; ++i) sums[i] += at[i];
      }
      if (T* sum = sum_at(vector))
        for (int64_t i = 0; i < rows; ++i) sum[first + i] = (start > 0 ? sum[first + i] : T(0)) + sums[i];
      for (int64_t p = UPPER ? first / width : 0; p < panels; ++p) {
        const int kind = p >= first_panels;
        const int64_t column = (p - kind * first_panels) * width;
        if (T* c = c_at(kind, vector))
          outer<T, OUTER_ROWS, OUTER_VECTORS>(a, b + p * n * width, n, c + first * columns[kind] + column, columns[kind], rows,
                                              std::min(width, columns[kind] - column), start > 0);
      }
    }
  }
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
