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

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
