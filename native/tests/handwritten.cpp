// What a vector program costs: an LSTM's step as a program, run by the loop, beside the same step written by hand over the
// same packed product. Prints nanoseconds a step of both and their ratio, for the builds of this machine.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "call.hpp"
#include "team.hpp"

#if defined(__x86_64__)
#define OSTINATO_BUILD handwritten
#include "product.hpp"

using namespace ostinato;
using namespace ostinato::handwritten;

namespace {

constexpr int64_t TIME = 100;

// Nanoseconds of this thread alone: what other programs take does not count.
double own_time() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * double(now.tv_sec) + double(now.tv_nsec);
}

struct Data {
  int64_t batch, hidden;
  std::vector<float> input, R, z0, state, y, final, h, c;
  Data(int64_t B, int64_t H)
      : batch(B), hidden(H), input(TIME * B * 4 * H), R(4 * H * H), z0(B * H), state(B * 2 * H), y(TIME * B * H), final(B * 2 * H), h(B * H), c(B * H) {
    uint32_t x = 1;
    auto next = [&] { return float((x = x * 1664525u + 1013904223u) >> 8) / float(1 << 24) - 0.5f; };
    for (float& v : input) v = next();
    for (float& v : R) v = next() * 0.2f;
  }
};

// i, f, g, o from the products; c and h in the state.
void by_program(Data& d, const Kernels& k, Team& team) {
  static const Instr code[] = {
      {ADD_LOAD, 0, F_INPUT, 0, 0}, {LOGISTIC, 0, 0, 0, 0}, {ADD_LOAD, 2, F_INPUT, 2, 2}, {TANH, 2, 2, 0, 0},
      {MUL, 0, 0, 2, 0},            {ADD_LOAD, 1, F_INPUT, 1, 1}, {LOGISTIC, 1, 1, 0, 0}, {LOAD, 4, F_STATE, 1, 0},
      {FMA, 0, 1, 4, 0},            {STORE, F_STATE, 0, 1, 0},    {TANH, 0, 0, 0, 0},     {ADD_LOAD, 3, F_INPUT, 3, 3},
      {LOGISTIC, 3, 3, 0, 0},       {MUL, 0, 0, 3, 0},            {STORE, F_STATE, 0, 0, 0}, {STORE, F_Y, 0, 0, 0}};
  Forward<float> f;
  f.time = TIME, f.batch = d.batch, f.hidden = d.hidden, f.gates_in = f.gates = 4, f.states = 2, f.slots = 5, f.y_is_hidden = true;
  f.input = d.input.data(), f.R = d.R.data(), f.z0 = d.z0.data(), f.state0 = d.state.data(), f.params_at = d.R.data();
  f.y = d.y.data(), f.final = d.final.data(), f.code = {code, sizeof(code) / sizeof(code[0])};
  if (!refusal(f).empty()) std::fprintf(stderr, "%s\n", refusal(f).c_str()), std::exit(1);
  k.forward32(f, team);
}

void by_hand(Data& d, std::vector<float>& packed) {
  const int64_t B = d.batch, H = d.hidden;
  const Cut c = cut<float>(4, H, H);
  constexpr int L = LANES<float>;
  for (int64_t block = 0; block < c.blocks(); ++block) pack_forward<float>(c, d.R.data(), block, packed.data());
  std::vector<const float*> rows(B);
  std::vector<float> q(4 * B * L);
  std::fill(d.c.begin(), d.c.end(), 0.0f);
  for (int64_t b = 0; b < B; ++b) rows[b] = d.z0.data() + b * H;
  Product<float> product(c, packed.data(), nullptr);
  for (int64_t t = 0; t < TIME; ++t) {
    for (int64_t block = 0; block < c.blocks(); ++block) {
      product(block, rows.data(), B, q.data(), B * L, L);
      for (int64_t b = 0; b < B; ++b) {
        const float* x = d.input.data() + ((t * B + b) * 4) * H + block * L;
        auto a = [&](int64_t g) { return load<float>(q.data() + (g * B + b) * L) + load<float>(x + g * H); };
        float* memory = d.c.data() + b * H + block * L;
        Vec<float> m = logistic<float>(a(1)) * load<float>(memory) + logistic<float>(a(0)) * tanh_<float>(a(2));
        store<float>(memory, m);
        store<float>(d.y.data() + (t * B + b) * H + block * L, logistic<float>(a(3)) * tanh_<float>(m));
      }
    }
    for (int64_t b = 0; b < B; ++b) rows[b] = d.y.data() + (t * B + b) * H;
  }
}

}  // namespace

int main() {
  const Kernels* k = kernels(OSTINATO_NAME);
  if (k == nullptr) return std::printf("%s: not on this machine\n", OSTINATO_NAME), 0;
  Team team(1);
  for (auto [B, H] : {std::pair<int64_t, int64_t>{1, 64}, {1, 128}, {8, 128}, {32, 128}}) {
    Data d(B, H), e(B, H);
    std::vector<float> packed(cut<float>(4, H, H).size() + 64);
    double best[2] = {1e9, 1e9}, worst = 0;
    for (int turn = 0; turn < 60; ++turn) {
      for (int which = 0; which < 2; ++which) {
        const double begin = own_time();
        which == 0 ? by_program(d, *k, team) : by_hand(e, packed);
        const double took = (own_time() - begin) / TIME;
        if (took < best[which]) best[which] = took;
      }
    }
    for (size_t i = 0; i < d.y.size(); ++i) worst = std::max(worst, double(std::abs(d.y[i] - e.y[i])));
    std::printf("%s batch %lld hidden %lld: program %.0f ns, by hand %.0f ns, ratio %.3f, difference %.1e\n", OSTINATO_NAME,
                static_cast<long long>(B), static_cast<long long>(H), best[0], best[1], best[0] / best[1], worst);
    if (worst > 1e-5) return 1;
  }
  return 0;
}
#else
int main() { return 0; }
#endif
