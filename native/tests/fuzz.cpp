// Random shapes and random programs, good and malformed, on every build that this machine can run. Good ones are run
// with one thread and with three and must agree; malformed ones must be refused. Meant for the sanitizers.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

#include "call.hpp"
#include "team.hpp"

using namespace ostinato;

namespace {

std::mt19937_64 random_(1);
int64_t between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }
bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }

template <class T>
std::vector<T> numbers(int64_t count, double scale = 1) {
  std::vector<T> v(static_cast<size_t>(count));
  std::normal_distribution<double> normal(0, scale);
  for (T& x : v) x = static_cast<T>(normal(random_));
  return v;
}

std::vector<uint8_t> flags(int64_t count, double p) {
  std::vector<uint8_t> v(static_cast<size_t>(count));
  for (auto& x : v) x = chance(p);
  return v;
}

// A program that reads what it may, works on it with random operations, and stores to every array that it must fill.
struct Writer {
  std::vector<Instr> code;
  int32_t constants, first_free, slots;
  std::vector<int32_t> full;
  int32_t fresh() { return static_cast<int32_t>(between(first_free, slots - 1)); }
  void load(int32_t array, int64_t width) {
    if (width == 0) return;
    const int32_t to = fresh();
    code.push_back({LOAD, to, array, static_cast<int32_t>(between(0, width - 1)), 0});
    full.push_back(to);
  }
  int32_t any() { return full[static_cast<size_t>(between(0, static_cast<int64_t>(full.size()) - 1))]; }
  void work(int64_t count, bool reduces) {
    for (int64_t i = 0; i < count; ++i) {
      const int32_t op = static_cast<int32_t>(between(COPY, reduces ? REDUCE_MIN : SELECT));
      const int32_t to = fresh();
      code.push_back({op, to, any(), any(), any()});
      full.push_back(to);
    }
    // Bounded, so that long products of gradients stay comparable.
    for (int i = 0; i < 2; ++i) {
      const int32_t to = fresh();
      code.push_back({TANH, to, any(), 0, 0});
      full.assign(1, to);
    }
  }
  void store(int32_t op, int32_t array, int64_t width) {
    for (int64_t i = 0; i < width; ++i) code.push_back({op, array, any(), static_cast<int32_t>(i), 0});
  }
};

template <class T>
bool close(const std::vector<T>& a, const std::vector<T>& b, const char* what) {
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ||
                      std::fabs(a[i] - b[i]) <= 1e-3 * (1 + std::fabs(a[i]));
    if (!same) {
      std::fprintf(stderr, "%s differs at %zu: %g and %g\n", what, i, double(a[i]), double(b[i]));
      return false;
    }
  }
  return true;
}

void malform(std::vector<Instr>& code) {
  if (code.empty()) return;
  Instr& i = code[static_cast<size_t>(between(0, static_cast<int64_t>(code.size()) - 1))];
  int32_t* fields[] = {&i.op, &i.dst, &i.a, &i.b, &i.c};
  *fields[between(0, 4)] = static_cast<int32_t>(chance(0.5) ? between(-5, 400) : between(INT32_MIN, INT32_MAX));
}

template <class T>
void set_sizes(Common& c) {
  c.time = between(0, 6), c.batch = between(0, 9), c.hidden = between(1, chance(0.2) ? 200 : 70);
  c.gates_in = between(1, 5), c.gates = chance(0.15) ? 0 : between(1, 6), c.states = between(1, 3), c.params = between(0, 3);
  c.extra = between(1, 3), c.constants = between(0, 2), c.slots = c.constants + c.gates + between(2, 9);
  c.reverse = chance(0.5), c.reduces = chance(0.3), c.y_is_hidden = c.gates > 0 && chance(0.5);
}

template <class T, class Run>
void forward_once(Team& alone, Team& team, Run run) {
  Forward<T> f;
  set_sizes<T>(f);
  f.train = chance(0.5), f.keep = chance(0.3);
  const int64_t S = f.time, B = f.batch, H = f.hidden, G = f.gates, NS = f.states;
  auto input = numbers<T>(S * B * f.gates_in * H), R = numbers<T>(G * H * H, 0.3 / std::sqrt(double(H))), bias = numbers<T>(G * H),
       dt = numbers<T>(S * B), z0 = numbers<T>(B * H), z_start = numbers<T>(H), state = numbers<T>(B * NS * H),
       start = numbers<T>(NS * H), params = numbers<T>(f.params * H);
  auto constants = numbers<double>(f.constants);
  auto mask = flags(S * B, 0.6), reset = flags(S * B, 0.3);
  input.resize(input.size() + 1), params.resize(params.size() + 1), z0.resize(z0.size() + 1), R.resize(R.size() + 1);
  f.input = input.data(), f.R = R.data(), f.z0 = z0.data(), f.state0 = state.data(), f.params_at = params.data();
  f.constants_at = constants.data();
  if (G > 0 && chance(0.5)) f.bias = bias.data();
  const int64_t features = between(1, 40);
  auto x = numbers<T>(S * B * features + 1), W = numbers<T>(f.gates_in * H * features), b = numbers<T>(f.gates_in * H);
  if (chance(0.5)) f.inputs = features, f.input = nullptr, f.x = x.data(), f.W = W.data(), f.b = b.data();
  if (chance(0.4)) f.dt = dt.data();
  if (chance(0.5)) f.mask = mask.data();
  if (chance(0.5)) f.reset = reset.data(), f.start = start.data(), f.z_start = z_start.data();
  Writer w{{}, int32_t(f.constants), int32_t(f.constants), int32_t(f.slots), {}};
  for (int64_t g = 0; g < f.constants + G; ++g) w.full.push_back(int32_t(g));
  w.first_free = int32_t(f.constants + G);
  w.load(F_INPUT, f.gates_in), w.load(F_STATE, NS), w.load(F_PARAMS, f.params);
  if (f.dt) w.load(F_DT, 1);
  w.work(between(0, 12), f.reduces);
  w.store(STORE, F_STATE, NS), w.store(STORE, F_Y, 1);
  if (G > 0 && !f.y_is_hidden) w.store(STORE, F_Z, 1);
  if (f.train) w.store(STORE, F_SAVED, f.gates_in), w.store(STORE, F_EXTRA, f.extra);
  if (f.keep) w.store(STORE, F_STATES, NS);
  const bool bad = chance(0.3);
  if (bad) malform(w.code);
  f.code = {w.code.data(), int64_t(w.code.size())};
  std::vector<T> y[2], final[2], saved[2], extra[2], z[2], kept[2];
  for (int k = 0; k < 2; ++k) {
    y[k].assign(size_t(S * B * H + 1), 0), final[k].assign(size_t(B * NS * H + 1), 0);
    saved[k].assign(size_t(S * B * f.gates_in * H + 1), 0), extra[k].assign(size_t(S * B * f.extra * H + 1), 0);
    z[k].assign(size_t(S * B * H + 1), 0), kept[k].assign(size_t(S * B * NS * H + 1), 0);
    f.y = y[k].data(), f.final = final[k].data(), f.saved = saved[k].data(), f.extra_at = extra[k].data();
    f.z = z[k].data(), f.kept = kept[k].data();
    if (!refusal(f).empty()) {
      if (!bad) std::fprintf(stderr, "a good program was refused: %s\n", refusal(f).c_str()), std::exit(1);
      return;
    }
    run(f, k == 0 ? alone : team);
  }
  if (!(close(y[0], y[1], "y") && close(final[0], final[1], "final") && close(kept[0], kept[1], "states"))) std::exit(1);
}

template <class T, class Run>
void backward_once(Team& alone, Team& team, Run run) {
  Backward<T> b;
  set_sizes<T>(b);
  b.keep = chance(0.3), b.direct = b.gates > 0 && b.gates == b.gates_in && chance(0.7);
  b.sums = b.params + b.gates, b.constants_after = between(0, 1), b.slots_after = b.constants_after + 4;
  const int64_t S = b.time, B = b.batch, H = b.hidden, G = b.gates, NS = b.states;
  auto saved = numbers<T>(S * B * b.gates_in * H + 1), extra = numbers<T>(S * B * b.extra * H + 1), z = numbers<T>(S * B * H + 1),
       z0 = numbers<T>(B * H + 1), z_start = numbers<T>(H), d_y = numbers<T>(S * B * H + 1), d_final = numbers<T>(B * NS * H),
       d_kept = numbers<T>(S * B * NS * H + 1), R = numbers<T>(G * H * H + 1, 0.3 / std::sqrt(double(G * H + 1))),
       dt = numbers<T>(S * B + 1), params = numbers<T>(b.params * H + 1);
  auto constants = numbers<double>(b.constants), constants_after = numbers<double>(b.constants_after);
  auto mask = flags(S * B, 0.6), reset = flags(S * B, 0.3);
  std::vector<int32_t> source;
  for (int64_t g = 0; g < G; ++g) source.push_back(int32_t(b.direct ? g : between(0, b.gates_in + b.extra - 1)));
  b.saved = saved.data(), b.extra_at = extra.data(), b.z = z.data(), b.z0 = z0.data(), b.d_y = d_y.data();
  b.d_final = d_final.data(), b.d_kept = b.keep ? d_kept.data() : nullptr, b.R = R.data(), b.params_at = params.data();
  b.constants_at = constants.data(), b.constants_after_at = constants_after.data(), b.source = source.data();
  const int64_t features = between(1, 40);
  auto x = numbers<T>(S * B * features + 1);
  std::vector<T> d_W[2], d_b[2];
  if (chance(0.5)) b.inputs = features, b.x = x.data();
  const bool timed = chance(0.4);
  if (timed) b.dt = dt.data();
  b.by_rows = timed;
  if (chance(0.5)) b.mask = mask.data();
  if (chance(0.5)) b.reset = reset.data(), b.z_start = z_start.data();
  Writer w{{}, int32_t(b.constants), int32_t(b.constants), int32_t(b.slots), {}};
  for (int64_t g = 0; g < b.constants; ++g) w.full.push_back(int32_t(g));
  w.load(B_SAVED, b.gates_in), w.load(B_EXTRA, b.extra), w.load(B_PARAMS, b.params), w.load(B_D_Y, 1), w.load(B_D_STATE, NS);
  if (G > 0) w.load(B_Z, 1);
  if (b.keep) w.load(B_D_STATES, NS);
  if (timed) w.load(B_DT, 1);
  w.work(between(0, 12), b.reduces);
  w.store(STORE, B_D_STATE, NS), w.store(STORE, B_D_INPUT, b.gates_in), w.store(STORE, B_D_EXTRA, b.extra);
  if (!b.direct) w.store(STORE, B_D_HIDDEN, G);
  w.store(ACCUMULATE, B_SUMS, b.sums);
  if (timed) w.store(ROW_SUM, B_D_DT, 1);
  std::vector<Instr> after;
  const int32_t p = int32_t(b.constants_after);
  if (G > 0) {
    after = {{LOAD, p + 1, B_D_STATE, 0, 0}, {ADD, p + 1, p + 1, p, 0}, {TANH, p + 1, p + 1, 0, 0}, {STORE, B_D_STATE, p + 1, 0, 0}};
  }
  const bool bad = chance(0.3);
  if (bad) malform(chance(0.7) ? w.code : after);
  b.before = {w.code.data(), int64_t(w.code.size())}, b.after = {after.data(), int64_t(after.size())};
  std::vector<T> d_input[2], d_extra[2], d_R[2], d_sums[2], d_state[2], d_start[2], d_dt[2];
  for (int k = 0; k < 2; ++k) {
    d_input[k].assign(size_t(S * B * b.gates_in * H + 1), 0), d_extra[k].assign(size_t(S * B * b.extra * H + 1), 0);
    d_R[k].assign(size_t(G * H * H + 1), 0), d_sums[k].assign(size_t(b.sums * H + 1), 0);
    d_state[k].assign(size_t(B * NS * H + 1), 0), d_start[k].assign(size_t(NS * H), 0), d_dt[k].assign(size_t(S * B + 1), 0);
    d_W[k].assign(size_t(b.gates_in * H * features), 0), d_b[k].assign(size_t(b.gates_in * H), 0);
    b.d_W = d_W[k].data(), b.d_b = d_b[k].data();
    b.d_input = d_input[k].data(), b.d_extra = d_extra[k].data(), b.d_R = d_R[k].data(), b.d_sums = d_sums[k].data();
    b.d_state = d_state[k].data(), b.d_start = d_start[k].data(), b.d_dt = timed ? d_dt[k].data() : nullptr;
    if (!refusal(b).empty()) {
      if (!bad) std::fprintf(stderr, "a good program was refused: %s\n", refusal(b).c_str()), std::exit(1);
      return;
    }
    run(b, k == 0 ? alone : team);
  }
  if (!(close(d_input[0], d_input[1], "d_input") && close(d_state[0], d_state[1], "d_state") && close(d_R[0], d_R[1], "d_R") &&
        close(d_W[0], d_W[1], "d_W") && close(d_b[0], d_b[1], "d_b")))
    std::exit(1);
}

}  // namespace

int main(int count, char** words) {
  const int64_t runs = count > 1 ? std::atoll(words[1]) : 300;
  if (count > 2) random_.seed(static_cast<uint64_t>(std::atoll(words[2])));
  Team alone(1), team(3);
  team.worth = 0;  // helpers for the smallest work too
  for (const char* name : {"baseline", "v3", "v4"}) {
    const Kernels* k = kernels(name);
    if (k == nullptr) continue;
    for (int64_t i = 0; i < runs; ++i) {
      forward_once<float>(alone, team, k->forward32), backward_once<float>(alone, team, k->backward32);
      forward_once<double>(alone, team, k->forward64), backward_once<double>(alone, team, k->backward64);
    }
    // Two callers at a time: the second finds the team busy.
    if (runs > 0) {
      std::thread other([&] {
        Forward<float> f;
        std::vector<float> input(4 * 64 * 64, 0.5f), R(64 * 64, 0.01f), y(4 * 64 * 64), state(64 * 64);
        f.time = 4, f.batch = 64, f.hidden = 64, f.gates_in = 1, f.gates = 1, f.slots = 2, f.y_is_hidden = true;
        const Instr code[] = {{ADD_LOAD, 1, F_INPUT, 0, 0}, {TANH, 1, 1, 0, 0}, {STORE, F_Y, 1, 0, 0}};
        f.input = input.data(), f.R = R.data(), f.z0 = state.data(), f.params_at = R.data(), f.y = y.data(), f.code = {code, 3};
        for (int n = 0; n < 50; ++n) k->forward32(f, team);
      });
      for (int n = 0; n < 50; ++n) forward_once<float>(alone, team, k->forward32);
      other.join();
    }
    std::printf("%s: %lld rounds\n", name, static_cast<long long>(runs));
  }
  return 0;
}
