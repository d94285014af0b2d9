// Vectors of the machine's width through the compiler's vector types, and the element-wise functions on them.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "call.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

#if defined(__AVX512F__)
constexpr int BYTES = 64, ACCUMULATORS = 24;
#elif defined(__AVX2__)
constexpr int BYTES = 32, ACCUMULATORS = 12;
#elif defined(__aarch64__)
constexpr int BYTES = 16, ACCUMULATORS = 24;
#else
constexpr int BYTES = 16, ACCUMULATORS = 12;
#endif

#define OSTINATO_INLINE inline __attribute__((always_inline))

template <class T>
struct Types;
template <>
struct Types<float> {
  typedef float vec __attribute__((vector_size(BYTES)));
  typedef float loose __attribute__((vector_size(BYTES), aligned(4), may_alias));
  typedef int32_t ints __attribute__((vector_size(BYTES)));
  using bits = int32_t;
};
template <>
struct Types<double> {
  typedef double vec __attribute__((vector_size(BYTES)));
  typedef double loose __attribute__((vector_size(BYTES), aligned(8), may_alias));
  typedef int64_t ints __attribute__((vector_size(BYTES)));
  using bits = int64_t;
};

template <class T>
using Vec = typename Types<T>::vec;
template <class T>
using Ints = typename Types<T>::ints;
template <class T>
constexpr int LANES = BYTES / static_cast<int>(sizeof(T));

template <class T>
OSTINATO_INLINE Vec<T> load(const T* at) {
  return *reinterpret_cast<const typename Types<T>::loose*>(at);
}

template <class T>
OSTINATO_INLINE void store(T* at, Vec<T> v) {
  *reinterpret_cast<typename Types<T>::loose*>(at) = v;
}

template <class T, size_t... I>
OSTINATO_INLINE Vec<T> fill_(T x, std::index_sequence<I...>) {
  return Vec<T>{((void)I, x)...};
}

template <class T>
OSTINATO_INLINE Vec<T> fill(T x) {
  return fill_<T>(x, std::make_index_sequence<LANES<T>>{});
}

template <class F, int... I>
OSTINATO_INLINE void each_(F&& f, std::integer_sequence<int, I...>) {
  (f(std::integral_constant<int, I>{}), ...);
}

// A loop that is unrolled before the optimiser sees it, so that arrays of vectors become registers.
template <int N, class F>
OSTINATO_INLINE void each(F&& f) {
  each_(f, std::make_integer_sequence<int, N>{});
}

template <class T>
OSTINATO_INLINE Vec<T> from_bits(Ints<T> i) {
  return (Vec<T>)i;
}

template <class T>
OSTINATO_INLINE Ints<T> to_bits(Vec<T> v) {
  return (Ints<T>)v;
}

OSTINATO_INLINE Vec<float> square_root(Vec<float> v) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  return (Vec<float>)_mm256_sqrt_ps((__m256)v);
#elif defined(__aarch64__)
  return (Vec<float>)vsqrtq_f32((float32x4_t)v);
#else
  for (int i = 0; i < LANES<float>; ++i) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

OSTINATO_INLINE Vec<double> square_root(Vec<double> v) {
#if defined(__AVX512F__)
  return (Vec<double>)_mm512_sqrt_pd((__m512d)v);
#elif defined(__AVX2__)
  return (Vec<double>)_mm256_sqrt_pd((__m256d)v);
#elif defined(__aarch64__)
  return (Vec<double>)vsqrtq_f64((float64x2_t)v);
#else
  for (int i = 0; i < LANES<double>; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
#endif
}

// 1 / v for v between 1 and 1e38, where the estimate needs no care for special values other than NaN.
OSTINATO_INLINE Vec<float> reciprocal(Vec<float> v) {
#if defined(__AVX512F__)
  Vec<float> r = (Vec<float>)_mm512_rcp14_ps((__m512)v);
  return r + r * (1.0f - v * r);
#else
  return 1.0f / v;
#endif
}

OSTINATO_INLINE Vec<double> reciprocal(Vec<double> v) { return 1.0 / v; }

template <class T>
struct Constants;
template <>
struct Constants<float> {
  static constexpr float magic = 12582912.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, top = 100.0f,
                         bottom = -110.0f, plain = 87.0f, saturated = 40.0f, tiny = 1.17549435e-38f;
  static constexpr int mantissa = 23, bias = 127, terms = 7, log_terms = 5;
};
template <>
struct Constants<double> {
  static constexpr double magic = 6755399441055744.0, ln2_high = 6.93145751953125e-1, ln2_low = 1.42860682030941723212e-6,
                          top = 800.0, bottom = -800.0, plain = 700.0, saturated = 80.0, tiny = 2.2250738585072014e-308;
  static constexpr int mantissa = 52, bias = 1023, terms = 13, log_terms = 11;
};

// Clamps that let a NaN through: the machine's own give the second operand where one is no number.
template <class T>
OSTINATO_INLINE Vec<T> between(Vec<T> v, T low, T high) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm512_min_ps((__m512)fill<T>(high), _mm512_max_ps((__m512)fill<T>(low), (__m512)v));
  else
    return (Vec<T>)_mm512_min_pd((__m512d)fill<T>(high), _mm512_max_pd((__m512d)fill<T>(low), (__m512d)v));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm256_min_ps((__m256)fill<T>(high), _mm256_max_ps((__m256)fill<T>(low), (__m256)v));
  else
    return (Vec<T>)_mm256_min_pd((__m256d)fill<T>(high), _mm256_max_pd((__m256d)fill<T>(low), (__m256d)v));
#else
  v = v < low ? fill<T>(low) : v;
  return v > high ? fill<T>(high) : v;
#endif
}

// 2^n for n inside the range of exponents; n holds an integer.
template <class T>
OSTINATO_INLINE Vec<T> power_of_two(Ints<T> n) {
  return from_bits<T>((n + Constants<T>::bias) << Constants<T>::mantissa);
}

constexpr double inverse_factorial(int n) { return n <= 1 ? 1.0 : inverse_factorial(n - 1) / n; }

template <class T, int N>
OSTINATO_INLINE Vec<T> taylor(Vec<T> r) {
  if constexpr (N == Constants<T>::terms)
    return fill<T>(static_cast<T>(inverse_factorial(N)));
  else
    return taylor<T, N + 1>(r) * r + static_cast<T>(inverse_factorial(N));
}

// x = n ln 2 + r with |r| <= ln 2 / 2; gives e^r - 1, whose first term is kept exact.
template <class T>
OSTINATO_INLINE Vec<T> reduced(Vec<T> x, Ints<T>& n) {
  using C = Constants<T>;
  constexpr T log2e = static_cast<T>(1.44269504088896340736);
  Vec<T> shifted = x * log2e + C::magic;
  n = to_bits<T>(shifted) - to_bits<T>(fill<T>(C::magic));
  Vec<T> whole = shifted - C::magic;
  Vec<T> r = x - whole * C::ln2_high;
  r = r - whole * C::ln2_low;
  return r + (r * r) * taylor<T, 2>(r);
}

template <class T>
OSTINATO_INLINE Vec<T> exp_(Vec<T> x) {
  using C = Constants<T>;
  Ints<T> n;
  Vec<T> p = reduced<T>(between<T>(x, C::bottom, C::top), n);
  Ints<T> half = n >> 1;
  return (p + T(1)) * power_of_two<T>(half) * power_of_two<T>(n - half);
}

// e^x for |x| <= `plain`.
template <class T>
OSTINATO_INLINE Vec<T> exp_inside(Vec<T> x) {
  Ints<T> n;
  Vec<T> p = reduced<T>(x, n);
  Vec<T> scale = power_of_two<T>(n);
  return p * scale + scale;
}

template <class T>
OSTINATO_INLINE Vec<T> expm1_inside(Vec<T> x) {
  Ints<T> n;
  Vec<T> p = reduced<T>(x, n);
  Vec<T> scale = power_of_two<T>(n);
  return p * scale + (scale - T(1));
}

template <class T>
OSTINATO_INLINE Vec<T> expm1_(Vec<T> x) {
  constexpr T high = Constants<T>::plain;
  Vec<T> inside = expm1_inside<T>(between<T>(x, -high, high));
  return x > high ? exp_<T>(x) : inside;
}

template <class T>
OSTINATO_INLINE Vec<T> logistic(Vec<T> x) {
  constexpr T high = Constants<T>::plain;
  return reciprocal(exp_inside<T>(between<T>(-x, -high, high)) + T(1));
}

template <class T>
OSTINATO_INLINE Vec<T> tanh_(Vec<T> x) {
  constexpr T high = Constants<T>::saturated;
  Vec<T> p = expm1_inside<T>(between<T>(x + x, -high, high));
  Vec<T> r = p * reciprocal(p + T(2));
  return x == T(0) ? x : r;
}

template <class T, int N>
OSTINATO_INLINE Vec<T> log_series(Vec<T> s2) {
  if constexpr (N == Constants<T>::log_terms)
    return fill<T>(T(2) / T(2 * N + 1));
  else
    return log_series<T, N + 1>(s2) * s2 + T(2) / T(2 * N + 1);
}

template <class T>
OSTINATO_INLINE Vec<T> log_(Vec<T> x) {
  using C = Constants<T>;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr T lift = static_cast<T>(int64_t(1) << C::mantissa);
  Ints<T> small = x < C::tiny;
  Vec<T> v = small ? x * lift : x;
  // What has no logarithm, -0 too, is 1 here, so that the integers below stay in their range; its result comes last.
  Ints<T> i = to_bits<T>(x > T(0) ? v : fill<T>(1));
  // The mantissa is brought between sqrt(1/2) and sqrt(2), so that logarithms near 1 lose nothing.
  Ints<T> root = to_bits<T>(fill<T>(static_cast<T>(0.70710678118654752440)));
  Ints<T> n = (i - root) >> C::mantissa;
  Vec<T> m = from_bits<T>(i - (n << C::mantissa));
  Vec<T> f = m - T(1);
  Vec<T> s = f / (m + T(1));
  Vec<T> s2 = s * s;
  Vec<T> e = __builtin_convertvector(n, Vec<T>);
  e = small ? e - T(C::mantissa) : e;
  // log m = 2 s + 2 s^3 / 3 + ..., with 2 s = f - s f exactly.
  Vec<T> rest = s * (s2 * log_series<T, 1>(s2)) - s * f;
  Vec<T> result = e * C::ln2_high + (f + (rest + e * C::ln2_low));
  result = x == T(0) ? fill<T>(-infinity) : result;
  result = x < T(0) ? fill<T>(std::numeric_limits<T>::quiet_NaN()) : result;
  result = x == infinity ? x : result;
  return x != x ? x : result;
}

template <class T>
OSTINATO_INLINE Vec<T> log1p_(Vec<T> x) {
  Vec<T> u = x + T(1);
  Vec<T> d = u - T(1);
  Vec<T> result = log_<T>(u) * (x / d);
  result = d == T(0) ? x : result;
  return u == std::numeric_limits<T>::infinity() ? u : result;
}

template <class T>
OSTINATO_INLINE Vec<T> where(Ints<T> flag, Vec<T> a, Vec<T> b) {
  return flag ? a : b;
}

// One operand, by the operation's number; the switch is resolved when this is compiled.
template <class T, int32_t OP>
OSTINATO_INLINE Vec<T> unary(Vec<T> a) {
  const Vec<T> one = fill<T>(1), zero = fill<T>(0);
  if constexpr (OP == COPY) return a;
  if constexpr (OP == NEG) return -a;
  if constexpr (OP == ABS) return from_bits<T>(to_bits<T>(a) & ~to_bits<T>(fill<T>(T(-0.0))));
  if constexpr (OP == SIGN) return where<T>(a > zero, one, where<T>(a < zero, -one, a));
  if constexpr (OP == EXP) return exp_<T>(a);
  if constexpr (OP == LOG) return log_<T>(a);
  if constexpr (OP == LOG1P) return log1p_<T>(a);
  if constexpr (OP == EXPM1) return expm1_<T>(a);
  if constexpr (OP == TANH) return tanh_<T>(a);
  if constexpr (OP == LOGISTIC) return logistic<T>(a);
  if constexpr (OP == SQRT) return square_root(a);
  if constexpr (OP == RSQRT) return one / square_root(a);
  if constexpr (OP == SQUARE) return a * a;
  if constexpr (OP == RECIPROCAL) return one / a;
  if constexpr (OP == IS_FINITE) return where<T>((a - a) == zero, one, zero);
  return a;
}

template <class T, int32_t OP>
OSTINATO_INLINE Vec<T> binary(Vec<T> a, Vec<T> b) {
  const Vec<T> one = fill<T>(1), zero = fill<T>(0);
  if constexpr (OP == ADD) return a + b;
  if constexpr (OP == SUB) return a - b;
  if constexpr (OP == MUL) return a * b;
  if constexpr (OP == DIV) return a / b;
  if constexpr (OP == MIN) return where<T>((a < b) | (a != a), a, b);
  if constexpr (OP == MAX) return where<T>((a > b) | (a != a), a, b);
  if constexpr (OP == LT) return where<T>(a < b, one, zero);
  if constexpr (OP == LE) return where<T>(a <= b, one, zero);
  if constexpr (OP == EQ) return where<T>(a == b, one, zero);
  if constexpr (OP == NE) return where<T>(a != b, one, zero);
  return a;
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
