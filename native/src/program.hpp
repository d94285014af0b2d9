// The runner of a vector program: each instruction goes over a tile of rows and units that stays in the first cache.
#pragma once

#include "simd.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

// Where an array of a program lies at this step.
template <class T>
struct View {
  enum Kind { NONE, ROWS, UNITS, SCALARS, POINTERS } kind = NONE;
  T* base = nullptr;
  int64_t stride = 0;           // from one row to the next
  T* const* pointer = nullptr;  // for POINTERS: where each row begins
  int64_t apart = 0;            // from one vector of a row to the next
};

// Rows x units, a multiple of the vector width, in slots one after the other.
template <class T>
struct Tile {
  T* slots;
  int64_t stride;        // between slots
  int64_t rows, units;   // units: lanes of the tile, padded
  int64_t first, valid;  // the first unit, and how many of them there are
  const int32_t* row;    // which rows
};

// f(where the vector of a row begins) for every row of the tile; what kind of array it is, is asked once.
template <class T, class F>
OSTINATO_INLINE void each_row(const View<T>& view, const Tile<T>& tile, int64_t index, F f) {
  const int64_t at = index * view.apart + tile.first;
  switch (view.kind) {
    case View<T>::UNITS:
      for (int64_t r = 0; r < tile.rows; ++r) f(r, view.base + at);
      break;
    case View<T>::POINTERS:
      for (int64_t r = 0; r < tile.rows; ++r) f(r, view.pointer[tile.row[r]] + at);
      break;
    default:
      for (int64_t r = 0; r < tile.rows; ++r) f(r, view.base + tile.row[r] * view.stride + at);
  }
}

// A single row, or a few units, with whatever is left over of a vector.
template <class T>
OSTINATO_INLINE T* vector_at(const View<T>& view, const Tile<T>& tile, int64_t r, int64_t index) {
  switch (view.kind) {
    case View<T>::UNITS: return view.base + index * view.apart + tile.first;
    case View<T>::POINTERS: return view.pointer[tile.row[r]] + index * view.apart + tile.first;
    default: return view.base + tile.row[r] * view.stride + index * view.apart + tile.first;
  }
}

// Whether each of several rows is one whole vector, which is what a tile of many gates is at a large batch.
template <class T>
OSTINATO_INLINE bool single_vectors(const Tile<T>& tile) {
  return tile.rows > 1 && tile.units == LANES<T> && tile.valid == LANES<T>;
}

template <class T, bool ADDS>
inline void load_rows(T* slot, const T* added, const View<T>& view, const Tile<T>& tile, int64_t index, bool single) {
  constexpr int L = LANES<T>;
  if (single && view.kind != View<T>::SCALARS)
    return each_row(view, tile, index, [=](int64_t r, const T* from) {
      store<T>(slot + r * L, ADDS ? load<T>(from) + load<T>(added + r * L) : load<T>(from));
    });
  for (int64_t r = 0; r < tile.rows; ++r, slot += tile.units, added += ADDS ? tile.units : 0) {
    if (view.kind == View<T>::SCALARS) {
      Vec<T> v = fill<T>(view.base[tile.row[r]]);
      for (int64_t u = 0; u < tile.units; u += L) store<T>(slot + u, ADDS ? v + load<T>(added + u) : v);
      continue;
    }
    const T* from = vector_at(view, tile, r, index);
    int64_t u = 0;
    for (; u + L <= tile.valid; u += L) store<T>(slot + u, ADDS ? load<T>(from + u) + load<T>(added + u) : load<T>(from + u));
    for (; u < tile.units; ++u) slot[u] = u < tile.valid ? (ADDS ? from[u] + added[u] : from[u]) : T(0);
  }
}

template <class T>
inline void store_rows(const T* slot, const View<T>& view, const Tile<T>& tile, int64_t index, bool single) {
  constexpr int L = LANES<T>;
  if (single) return each_row(view, tile, index, [=](int64_t r, T* to) { store<T>(to, load<T>(slot + r * L)); });
  for (int64_t r = 0; r < tile.rows; ++r, slot += tile.units) {
    T* to = vector_at(view, tile, r, index);
    int64_t u = 0;
    for (; u + L <= tile.valid; u += L) store<T>(to + u, load<T>(slot + u));
    for (; u < tile.valid; ++u) to[u] = slot[u];
  }
}

template <class T>
inline void accumulate(const T* slot, const View<T>& view, const Tile<T>& tile, int64_t index) {
  constexpr int L = LANES<T>;
  T* to = view.base + index * view.apart + tile.first;
  int64_t u = 0;
  for (; u + L <= tile.valid; u += L) {
    Vec<T> sum = load<T>(to + u);
    for (int64_t r = 0; r < tile.rows; ++r) sum += load<T>(slot + r * tile.units + u);
    store<T>(to + u, sum);
  }
  for (; u < tile.valid; ++u)
    for (int64_t r = 0; r < tile.rows; ++r) to[u] += slot[r * tile.units + u];
}

template <class T>
inline T sum_of(const T* slot, int64_t valid) {
  constexpr int L = LANES<T>;
  Vec<T> sum = fill<T>(0);
  int64_t u = 0;
  for (; u + L <= valid; u += L) sum += load<T>(slot + u);
  T total = 0;
  for (int i = 0; i < L; ++i) total += sum[i];
  for (; u < valid; ++u) total += slot[u];
  return total;
}

template <class T, int32_t OP>
inline void reduce(T* to, const T* from, const Tile<T>& tile) {
  for (int64_t r = 0; r < tile.rows; ++r, to += tile.units, from += tile.units) {
    T result;
    if constexpr (OP == REDUCE_SUM) {
      result = sum_of(from, tile.valid);
    } else {
      result = from[0];
      for (int64_t u = 1; u < tile.valid; ++u) {
        bool better = OP == REDUCE_MAX ? from[u] > result : from[u] < result;
        if (better || from[u] != from[u]) result = from[u];
        if (result != result) break;
      }
    }
    Vec<T> v = fill<T>(result);
    for (int64_t u = 0; u < tile.units; u += LANES<T>) store<T>(to + u, v);
  }
}

template <class T, class F>
OSTINATO_INLINE void over(int64_t count, F f) {
  for (int64_t i = 0; i < count; i += LANES<T>) f(i);
}

template <class T>
void run(const Code& code, const Tile<T>& tile, const View<T>* views) {
  const int64_t n = tile.rows * tile.units;
  const bool single = single_vectors(tile);
  for (const Instr *at = code.at, *end = code.at + code.size; at != end; ++at) {
    auto slot = [&](int32_t s) { return tile.slots + s * tile.stride; };
    switch (at->op) {
      case LOAD: load_rows<T, false>(slot(at->dst), slot(at->dst), views[at->a], tile, at->b, single); break;
      case ADD_LOAD: load_rows<T, true>(slot(at->dst), slot(at->c), views[at->a], tile, at->b, single); break;
      case STORE: store_rows<T>(slot(at->a), views[at->dst], tile, at->b, single); break;
      case ACCUMULATE: accumulate<T>(slot(at->a), views[at->dst], tile, at->b); break;
      case ROW_SUM:
        for (int64_t r = 0; r < tile.rows; ++r)
          views[at->dst].base[tile.row[r]] += sum_of<T>(slot(at->a) + r * tile.units, tile.valid);
        break;
      case REDUCE_SUM: reduce<T, REDUCE_SUM>(slot(at->dst), slot(at->a), tile); break;
      case REDUCE_MAX: reduce<T, REDUCE_MAX>(slot(at->dst), slot(at->a), tile); break;
      case REDUCE_MIN: reduce<T, REDUCE_MIN>(slot(at->dst), slot(at->a), tile); break;
#define OSTINATO_CASE(OP, EXPRESSION)                                      \
  case OP: {                                                               \
    T* d = slot(at->dst);                                                  \
    const T *a = slot(at->a), *b = slot(at->b), *c = slot(at->c);          \
    (void)b, (void)c;                                                      \
    over<T>(n, [=](int64_t i) { store<T>(d + i, EXPRESSION); });           \
    break;                                                                 \
  }
#define OSTINATO_UNARY(OP) OSTINATO_CASE(OP, (unary<T, OP>(load<T>(a + i))))
#define OSTINATO_BINARY(OP) OSTINATO_CASE(OP, (binary<T, OP>(load<T>(a + i), load<T>(b + i))))
        OSTINATO_UNARY(COPY)
        OSTINATO_UNARY(NEG)
        OSTINATO_UNARY(ABS)
        OSTINATO_UNARY(SIGN)
        OSTINATO_UNARY(EXP)
        OSTINATO_UNARY(LOG)
        OSTINATO_UNARY(LOG1P)
        OSTINATO_UNARY(EXPM1)
        OSTINATO_UNARY(TANH)
        OSTINATO_UNARY(LOGISTIC)
        OSTINATO_UNARY(SQRT)
        OSTINATO_UNARY(RSQRT)
        OSTINATO_UNARY(SQUARE)
        OSTINATO_UNARY(RECIPROCAL)
        OSTINATO_UNARY(IS_FINITE)
        OSTINATO_BINARY(ADD)
        OSTINATO_BINARY(SUB)
        OSTINATO_BINARY(MUL)
        OSTINATO_BINARY(DIV)
        OSTINATO_BINARY(MIN)
        OSTINATO_BINARY(MAX)
        OSTINATO_BINARY(LT)
        OSTINATO_BINARY(LE)
        OSTINATO_BINARY(EQ)
        OSTINATO_BINARY(NE)
        OSTINATO_CASE(FMA, (load<T>(a + i) * load<T>(b + i) + load<T>(c + i)))
        OSTINATO_CASE(FNMA, (load<T>(c + i) - load<T>(a + i) * load<T>(b + i)))
        OSTINATO_CASE(FMS, (load<T>(a + i) * load<T>(b + i) - load<T>(c + i)))
        OSTINATO_CASE(SELECT, (where<T>(load<T>(a + i) != fill<T>(0), load<T>(b + i), load<T>(c + i))))
#undef OSTINATO_UNARY
#undef OSTINATO_BINARY
#undef OSTINATO_CASE
      default: break;
    }
  }
}

template <class T>
void map(int32_t op, const T* a, T* out, int64_t count) {
  alignas(BYTES) T buffer[2 * LANES<T>];
  const Instr instr{op, 1, 0, 0, 0};
  const int32_t row = 0;
  for (int64_t i = 0; i < count; i += LANES<T>) {
    const int64_t n = count - i < LANES<T> ? count - i : LANES<T>;
    std::memset(buffer, 0, sizeof(buffer));
    std::memcpy(buffer, a + i, n * sizeof(T));
    run<T>(Code{&instr, 1}, Tile<T>{buffer, LANES<T>, 1, LANES<T>, 0, LANES<T>, &row}, nullptr);
    std::memcpy(out + i, buffer + LANES<T>, n * sizeof(T));
  }
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
