// What a run of the loop is given: plain pointers and sizes, the same for XLA and for the tests of this folder.
#pragma once

#include <cstdint>
#include <string>

namespace ostinato {

// Operations of a vector program. The numbers are those of src/ostinato/kernels/opcodes.py.
enum Op : int32_t {
  LOAD, STORE, ACCUMULATE, ROW_SUM,                      // between slots and arrays
  COPY, NEG, ABS, SIGN, EXP, LOG, LOG1P, EXPM1, TANH, LOGISTIC, SQRT, RSQRT, SQUARE, RECIPROCAL, IS_FINITE,
  ADD, SUB, MUL, DIV, MIN, MAX, LT, LE, EQ, NE,          // two operands; comparisons give 1 or 0
  FMA, FNMA, FMS, SELECT,                                // a b + c, c - a b, a b - c, a != 0 ? b : c
  REDUCE_SUM, REDUCE_MAX, REDUCE_MIN,                    // over the units, given back to every unit
  ADD_LOAD, OP_COUNT
};

struct Instr {
  int32_t op, dst, a, b, c;
};

struct Code {
  const Instr* at = nullptr;
  int64_t size = 0;
};

// Arrays that a program reads and writes.
enum ForwardArray : int32_t { F_INPUT, F_STATE, F_PARAMS, F_DT, F_Y, F_SAVED, F_EXTRA, F_Z, F_STATES, F_COUNT };
enum BackwardArray : int32_t {
  B_SAVED, B_EXTRA, B_PARAMS, B_DT, B_Z, B_D_Y, B_D_STATE, B_D_STATES, B_D_INPUT, B_D_HIDDEN, B_D_EXTRA, B_SUMS, B_D_DT,
  B_COUNT
};

// Sizes and settings that both directions share. Arrays are time-major: (time, batch, width, hidden).
struct Common {
  int64_t time = 0, batch = 0, hidden = 0;
  int64_t gates_in = 0;  // width of what comes from the input
  int64_t inputs = 0;    // features of x, where the loop makes that itself as W x + b
  int64_t gates = 0;     // width of what comes from the recurrent product; 0 without one
  int64_t states = 0;    // vectors in the state of a row
  int64_t params = 0;    // vectors of parameters that the program reads
  int64_t extra = 0;     // vectors saved beside those that replace the input
  int64_t slots = 0;     // the first hold constants, then come the products
  int64_t constants = 0;
  bool reverse = false;
  bool y_is_hidden = false;  // what is shown is what the product sees at the next step: it is stored once
  bool reduces = false;      // the program sums over units: a tile holds all of them
  bool by_rows = false;      // threads share rows only, never the units of a row
};

template <class T>
struct Forward : Common {
  bool train = false, keep = false;
  const T *input = nullptr, *x = nullptr, *W = nullptr, *b = nullptr;  // either the first, or the others
  const T *R = nullptr, *bias = nullptr, *dt = nullptr, *z0 = nullptr, *z_start = nullptr,
          *state0 = nullptr, *start = nullptr, *params_at = nullptr;
  const double* constants_at = nullptr;
  const uint8_t *mask = nullptr, *reset = nullptr;
  T *y = nullptr, *final = nullptr, *saved = nullptr, *extra_at = nullptr, *z = nullptr, *kept = nullptr;
  Code code;
};

template <class T>
struct Backward : Common {
  bool keep = false;
  bool direct = false;  // the gradient of the product is that of the input, gate by gate
  int64_t sums = 0;     // vectors summed over rows and steps: gradients of parameters and of the bias of the product
  int64_t slots_after = 0, constants_after = 0;
  const T *saved = nullptr, *extra_at = nullptr, *z = nullptr, *z0 = nullptr, *z_start = nullptr, *d_y = nullptr,
          *d_final = nullptr, *d_kept = nullptr, *R = nullptr, *dt = nullptr, *params_at = nullptr,
          *x = nullptr;
  const double *constants_at = nullptr, *constants_after_at = nullptr;
  const uint8_t *mask = nullptr, *reset = nullptr;
  const int32_t* source = nullptr;  // per gate: where its gradient is stored; from gates_in on in the extra ones
  T *d_input = nullptr, *d_extra = nullptr, *d_R = nullptr, *d_sums = nullptr, *d_state = nullptr, *d_start = nullptr,
    *d_dt = nullptr, *d_W = nullptr, *d_b = nullptr;
  Code before, after;  // before the product with the transposed matrix, and after it
};

// Why a call must not run; empty where it may.
template <class T>
std::string refusal(const Forward<T>& call);
template <class T>
std::string refusal(const Backward<T>& call);

class Team;

// y = A x for a matrix of few entries. Its columns are cut into blocks, so that the part of x that a block meets stays in
// the first cache; the entries of row i in block b stand at starts[b * rows + i] to the next of the starts.
template <class T>
struct Sparse {
  int64_t rows = 0, width = 0, blocks = 0;  // x is (columns, width), y (rows, width)
  int64_t entries = 0, columns_of_x = 0;
  const T *values = nullptr, *x = nullptr;
  const int32_t *columns = nullptr, *starts = nullptr;
  T* y = nullptr;
};

// One build of the loop for one instruction set.
struct Kernels {
  const char* name;
  void (*forward32)(const Forward<float>&, Team&);
  void (*forward64)(const Forward<double>&, Team&);
  void (*backward32)(const Backward<float>&, Team&);
  void (*backward64)(const Backward<double>&, Team&);
  void (*map32)(int32_t op, const float* a, float* out, int64_t count);
  void (*map64)(int32_t op, const double* a, double* out, int64_t count);
  bool (*sparse32)(const Sparse<float>&, Team&);  // false where an entry lies outside: it is not followed
  bool (*sparse64)(const Sparse<double>&, Team&);
  void (*gram32)(const float* x, int64_t count, int64_t width, float* y, Team&);
  void (*gram64)(const double* x, int64_t count, int64_t width, double* y, Team&);
  double (*peak32)(double seconds);  // floating-point operations a second of one thread
  double (*reading)(int64_t bytes, double seconds);  // bytes a second that one thread reads from so many
};

// The build for this machine, or the named one where the machine can run it; null where it cannot.
const Kernels* kernels(const char* name = nullptr);

}  // namespace ostinato
