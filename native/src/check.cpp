// Nothing runs before this: sizes that belong together, arrays that are there, slots and vectors inside their bounds.
#include "call.hpp"

namespace ostinato {
namespace {

struct Access {
  int64_t width;  // 0: not there
  bool read, write, sum, rows_sum;
};

constexpr int64_t MOST_SLOTS = 4096, MOST_CODE = 1 << 16, MOST_WIDTH = 4096;

std::string at(int64_t i, const char* what) { return "instruction " + std::to_string(i) + ": " + what; }

std::string refusal_of(const Code& code, const Access* access, int arrays, int64_t slots, int64_t constants, bool reduces) {
  if (code.size < 0 || code.size > MOST_CODE || (code.size > 0 && code.at == nullptr)) return "program: its length";
  for (int64_t i = 0; i < code.size; ++i) {
    const Instr& n = code.at[i];
    auto slot = [&](int32_t s) { return 0 <= s && s < slots; };
    if (n.op < 0 || n.op >= OP_COUNT) return at(i, "no such operation");
    if (n.op == LOAD || n.op == ADD_LOAD) {
      if (n.a < 0 || n.a >= arrays || !access[n.a].read) return at(i, "an array that cannot be read");
      if (n.b < 0 || n.b >= access[n.a].width) return at(i, "a vector outside its array");
      if (!slot(n.dst) || n.dst < constants) return at(i, "a slot that cannot be written");
      if (n.op == ADD_LOAD && !slot(n.c)) return at(i, "a slot that is not there");
      continue;
    }
    if (n.op == STORE || n.op == ACCUMULATE || n.op == ROW_SUM) {
      if (n.dst < 0 || n.dst >= arrays) return at(i, "an array that is not there");
      const Access& a = access[n.dst];
      if (!(n.op == STORE ? a.write : n.op == ACCUMULATE ? a.sum : a.rows_sum)) return at(i, "an array that cannot be written");
      if (n.b < 0 || n.b >= a.width) return at(i, "a vector outside its array");
      if (!slot(n.a)) return at(i, "a slot that is not there");
      continue;
    }
    if (!slot(n.dst) || n.dst < constants) return at(i, "a slot that cannot be written");
    if (!slot(n.a) || !slot(n.b) || !slot(n.c)) return at(i, "a slot that is not there");
    if (n.op >= REDUCE_SUM && n.op <= REDUCE_MIN && !reduces) return at(i, "a sum over the units where none was announced");
  }
  return "";
}

std::string refusal_of(const Common& c) {
  const int64_t most = int64_t(1) << 31;
  for (int64_t n : {c.time, c.batch, c.hidden, c.gates_in, c.inputs, c.gates, c.states, c.params, c.extra, c.slots, c.constants})
    if (n < 0 || n >= most) return "sizes: negative or too large";
  for (int64_t n : {c.gates_in, c.gates, c.states, c.params, c.extra})
    if (n > MOST_WIDTH) return "sizes: too many vectors";
  if (c.hidden == 0) return "sizes: no units";
  if (c.slots > MOST_SLOTS || c.constants + c.gates > c.slots) return "sizes: slots";
  return "";
}

}  // namespace

template <class T>
std::string refusal(const Forward<T>& f) {
  if (std::string why = refusal_of(static_cast<const Common&>(f)); !why.empty()) return why;
  const bool z = !f.y_is_hidden && f.train && f.gates > 0;
  if (f.gates > 0 && (!f.R || !f.z0)) return "arguments: a product without its matrix";
  if (f.reset && ((f.states > 0 && !f.start) || (f.gates > 0 && !f.z_start))) return "arguments: resets without a state";
  if (z && !f.z) return "arguments: nowhere to save what the product sees";
  if (f.gates == 0 && f.bias) return "arguments: a bias without a product";
  if (f.inputs > 0 && (!f.x || !f.W || !f.b || f.gates_in == 0)) return "arguments: an input product without its parts";
  const Access access[F_COUNT] = {{f.gates_in, f.input != nullptr || f.inputs > 0, false, false, false},
                                  {f.states, true, true, false, false},
                                  {f.params, f.params_at != nullptr, false, false, false},
                                  {1, f.dt != nullptr, false, false, false},
                                  {1, false, true, false, false},
                                  {f.gates_in, false, f.train && f.saved, false, false},
                                  {f.extra, false, f.train && f.extra_at, false, false},
                                  {1, false, f.gates > 0 && !f.y_is_hidden, false, false},
                                  {f.states, false, f.keep && f.kept, false, false}};
  return refusal_of(f.code, access, F_COUNT, f.slots, f.constants, f.reduces);
}

template <class T>
std::string refusal(const Backward<T>& b) {
  if (std::string why = refusal_of(static_cast<const Common&>(b)); !why.empty()) return why;
  if (b.sums < 0 || b.sums > MOST_WIDTH) return "sizes: too many sums";
  if (b.slots_after < 0 || b.slots_after > MOST_SLOTS || b.constants_after < 0 ||
      b.constants_after + (b.gates > 0 ? 1 : 0) > b.slots_after)
    return "sizes: slots after the product";
  if (b.gates > 0 && (!b.R || !b.z0 || !b.d_R || !b.z || !b.source)) return "arguments: a product without its matrix";
  if (b.reset && ((b.states > 0 && !b.d_start) || (b.gates > 0 && !b.z_start))) return "arguments: resets without a state";
  if (b.inputs > 0 && (!b.x || !b.d_W || !b.d_b)) return "arguments: an input product without its parts";
  if (b.direct && b.gates != b.gates_in) return "arguments: gates of the product and of the input differ";
  for (int64_t g = 0; g < b.gates; ++g) {
    if (b.source[g] < 0 || b.source[g] >= b.gates_in + (b.d_extra ? b.extra : 0)) return "arguments: a gate's gradient is nowhere";
    if (b.direct && b.source[g] != g) return "arguments: gates out of order";
  }
  const Access access[B_COUNT] = {{b.gates_in, b.saved != nullptr, false, false, false},
                                  {b.extra, b.extra_at != nullptr, false, false, false},
                                  {b.params, b.params_at != nullptr, false, false, false},
                                  {1, b.dt != nullptr, false, false, false},
                                  {1, b.gates > 0, false, false, false},
                                  {1, b.d_y != nullptr, false, false, false},
                                  {b.states, true, true, false, false},
                                  {b.states, b.d_kept != nullptr, false, false, false},
                                  {b.gates_in, false, b.d_input != nullptr, false, false},
                                  {b.gates, false, !b.direct, false, false},
                                  {b.extra, false, b.d_extra != nullptr, false, false},
                                  {b.sums, false, false, b.d_sums != nullptr, false},
                                  {1, false, false, false, b.d_dt != nullptr}};
  std::string why = refusal_of(b.before, access, B_COUNT, b.slots, b.constants, b.reduces);
  return why.empty() ? refusal_of(b.after, access, B_COUNT, b.slots_after, b.constants_after, b.reduces) : why;
}

template std::string refusal(const Forward<float>&);
template std::string refusal(const Forward<double>&);
template std::string refusal(const Backward<float>&);
template std::string refusal(const Backward<double>&);

}  // namespace ostinato
