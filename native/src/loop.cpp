// The time loop, forward and backward: product, program, next step. Compiled once for each instruction set.
#include <vector>

#include "floor.hpp"
#include "gram.hpp"
#include "outer.hpp"
#include "plan.hpp"
#include "product.hpp"
#include "program.hpp"
#include "project.hpp"
#include "sparse.hpp"
#include "team.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {
namespace {

// Flags of a step, by row.
inline bool flag(const uint8_t* flags, const Common& c, int64_t t, int64_t row) { return flags && flags[t * c.batch + row]; }

template <class T>
void forward(const Forward<T>& f, Team& team) {
  const int64_t T_ = f.time, B = f.batch, H = f.hidden, G = f.gates, NS = f.states;
  if (B == 0) return;
  const Cut c = cut<T>(std::max<int64_t>(G, 1), H, H);
  Plan plan = plan_of<T>(f, c.blocks(), team);
  const auto rows_of = plan.by_units ? deal(f, nullptr, 1) : deal(f, f.mask, plan.parts);
  const int64_t step = c.units(), entries = tile_entries<T>(f, step);
  struct Part {
    T* slots;
    T* after[2];     // what the next product sees, where that is not the output; old and new in turn
    const T** seen;  // by row: what the product sees now
    T** next;        // by row: where the program stores what it sees next
    const T** rows;  // of the alive ones
    int32_t* alive;
    ProjectionSizes<T> sizes;
    typename Projection<T>::Memory projection;
  };
  std::vector<Part> parts(plan.parts);
  const bool projects = f.inputs > 0;
  const Cut ci = cut<T>(std::max<int64_t>(f.gates_in, 1), H, f.inputs);
  T *packed = nullptr, *bias = nullptr, *packed_in = nullptr, *bias_in = nullptr, *shared[2] = {nullptr, nullptr};
  for (size_t p = 0; p < parts.size() && projects; ++p)
    parts[p].sizes = ProjectionSizes<T>(f, ci, static_cast<int64_t>(rows_of[plan.by_units ? 0 : p].size()));
  auto layout = [&](Cutter cutter) {
    packed = cutter.template cut<T>(G > 0 ? c.size() : 0);
    bias = f.bias ? cutter.template cut<T>(c.blocks() * c.units() * G) : nullptr;
    packed_in = cutter.template cut<T>(projects ? ci.size() : 0);
    bias_in = cutter.template cut<T>(projects ? ci.blocks() * ci.units() * ci.gates : 0);
    for (auto& half : shared) half = cutter.template cut<T>(G > 0 && !f.y_is_hidden ? B * H : 0);
    for (auto& part : parts) {
      part.slots = cutter.template cut<T>(f.slots * entries);
      part.seen = cutter.template cut<const T*>(B);
      part.next = cutter.template cut<T*>(B);
      part.rows = cutter.template cut<const T*>(B);
      part.alive = cutter.template cut<int32_t>(B);
      const int64_t ahead = projects ? part.sizes.steps * part.sizes.rows : 0;
      part.projection = {cutter.template cut<T>(ahead * part.sizes.apart()),
                         cutter.template cut<T*>(projects ? part.sizes.steps * B : 0), cutter.template cut<const T*>(ahead)};
    }
    return cutter.used();
  };
  Scratch scratch(team, layout(Cutter(nullptr)));
  layout(Cutter(scratch.at()));
  if (NS > 0) std::copy_n(f.state0, B * NS * H, f.final);

  auto advance = [&](int64_t p, Barrier* barrier) {
    const Part& part = parts[p];
    const auto& mine = rows_of[plan.by_units ? 0 : p];
    int64_t block_from = plan.by_units ? c.blocks() * p / plan.parts : 0;
    int64_t block_to = plan.by_units ? c.blocks() * (p + 1) / plan.parts : c.blocks();
    int64_t u_from = block_from * step, u_to = std::min(H, block_to * step);
    Projection<T> projection(f, part.sizes, part.projection, packed_in, bias_in);
    Shapes shapes(f, entries, step);
    shapes.among(block_to - block_from);
    auto take_all = [&] {
      block_from = u_from = 0, block_to = c.blocks(), u_to = H, barrier = nullptr;
      projection.forget(), shapes.among(block_to);
    };
    fill_constants(part.slots, entries, f.constants_at, f.constants);
    if (G > 0)
      for (int32_t b : mine) part.seen[b] = f.z0 + b * H;
    View<T> views[F_COUNT];
    using V = View<T>;
    views[F_STATE] = {V::ROWS, f.final, NS * H, nullptr, H};
    views[F_PARAMS] = {V::UNITS, const_cast<T*>(f.params_at), 0, nullptr, H};
    views[F_Z] = {V::POINTERS, nullptr, 0, part.next, H};
    Tile<T> tile{part.slots, entries, 0, 0, 0, 0, nullptr};
    Product<T> product(c, packed, bias);
    for (int64_t s = 0; s < T_; ++s) {
      const int64_t t = f.reverse ? T_ - 1 - s : s;
      int64_t n = 0;
      for (int32_t b : mine) {
        if (flag(f.reset, f, t, b)) {
          for (int64_t i = 0; i < NS; ++i)
            std::copy(f.start + i * H + u_from, f.start + i * H + u_to, f.final + (b * NS + i) * H + u_from);
          if (G > 0) part.seen[b] = f.z_start;
        }
        if (!f.mask || flag(f.mask, f, t, b)) {
          part.alive[n++] = b;
          continue;
        }
        std::fill(f.y + (t * B + b) * H + u_from, f.y + (t * B + b) * H + u_to, T(0));
        if (f.keep)
          for (int64_t i = 0; i < NS; ++i)
            std::copy(f.final + (b * NS + i) * H + u_from, f.final + (b * NS + i) * H + u_to,
                      f.kept + ((t * B + b) * NS + i) * H + u_from);
      }
      if (n == 0) continue;
      if (G > 0) {
        for (int64_t i = 0; i < n; ++i) part.rows[i] = part.seen[part.alive[i]];
        if (!f.y_is_hidden) {
          for (int64_t i = 0; i < n; ++i) {
            const int32_t b = part.alive[i];
            if (f.train) std::copy(part.rows[i] + u_from, part.rows[i] + u_to, f.z + (t * B + b) * H + u_from);
            part.next[b] = shared[part.rows[i] == shared[0] + b * H] + b * H;
          }
        }
      }
      if (projects)
        views[F_INPUT] = {V::POINTERS, nullptr, 0, projection.of(s, mine, u_from, u_to), part.sizes.padded()};
      else
        views[F_INPUT] = {V::ROWS, const_cast<T*>(f.input) + t * B * f.gates_in * H, f.gates_in * H, nullptr, H};
      views[F_DT] = {V::SCALARS, const_cast<T*>(f.dt) + (f.dt ? t * B : 0), 0, nullptr, H};
      views[F_Y] = {V::ROWS, f.y + t * B * H, H, nullptr, H};
      if (f.train) {
        views[F_SAVED] = {V::ROWS, f.saved + t * B * f.gates_in * H, f.gates_in * H, nullptr, H};
        views[F_EXTRA] = {V::ROWS, f.extra_at + t * B * f.extra * H, f.extra * H, nullptr, H};
      }
      if (f.keep) views[F_STATES] = {V::ROWS, f.kept + t * B * NS * H, NS * H, nullptr, H};
      const Shape& shape = shapes.of(n);
      for (int64_t piece = 0; piece < shapes.pieces; ++piece) {
        // There and back: what the last step read last is still in the second cache.
        const int64_t block = block_from + (s % 2 ? shapes.pieces - 1 - piece : piece) * shapes.blocks;
        const int64_t blocks = std::min(shapes.blocks, block_to - block);
        tile.units = blocks * step, tile.first = block * step, tile.valid = std::min(tile.units, H - tile.first);
        for (int64_t r = 0; r < n; r += shape.rows) {
          tile.rows = std::min(shape.rows, n - r), tile.row = part.alive + r;
          for (int64_t i = 0; G > 0 && i < blocks; ++i)
            product(block + i, part.rows + r, tile.rows, part.slots + f.constants * entries + i * step, entries, tile.units);
          run(f.code, tile, views);
        }
      }
      if (G > 0)
        for (int64_t i = 0; i < n; ++i) {
          const int32_t b = part.alive[i];
          part.seen[b] = f.y_is_hidden ? f.y + (t * B + b) * H : part.next[b];
        }
      if (barrier && barrier->wait()) {
        // Another program has the core: one of us does the rest alone.
        if (p > 0) return;
        take_all();
      }
    }
  };

  auto work = [&](int member, int members, Barrier& barrier) {
    if (bias && member == 0) pack_bias<T>(c, f.bias, bias);
    if (projects && member == members - 1) pack_bias<T>(ci, f.b, bias_in);
    for (int64_t block = member; G > 0 && block < c.blocks(); block += members) pack_forward<T>(c, f.R, block, packed);
    for (int64_t block = member; projects && block < ci.blocks(); block += members) pack_forward<T>(ci, f.W, block, packed_in);
    if (members < plan.parts && plan.by_units) {
      // Too few came to keep in step with one another: the caller does every part, step by step.
      if (members > 1) barrier.wait();
      if (member > 0) return;
      plan.parts = 1;
      advance(0, nullptr);
      return;
    }
    barrier.wait();
    for (int64_t p = member; p < plan.parts; p += members) advance(p, plan.by_units && G > 0 ? &barrier : nullptr);
  };
  gather(team, plan, G > 0, work);
}

template <class T>
void backward(const Backward<T>& b, Team& team) {
  const int64_t T_ = b.time, B = b.batch, H = b.hidden, G = b.gates, NS = b.states, GI = b.gates_in, NX = b.extra;
  const Cut c = cut<T>(1, H, std::max<int64_t>(G * H, 1));
  Plan plan = plan_of<T>(b, c.blocks(), team);
  const auto rows_of = plan.by_units ? deal(b, nullptr, 1) : deal(b, b.mask, plan.parts);
  const int64_t step = c.units(), entries = tile_entries<T>(b, step);
  struct Part {
    T *slots, *slots_after, *sums, *d_start, *outer;
    const T** rows;
    int32_t* alive;
  };
  std::vector<Part> parts(plan.parts);
  T *packed = nullptr, *d_hidden[2] = {nullptr, nullptr};
  const T** seen = nullptr;  // by step and row: what the product saw
  int64_t* pairs = nullptr;  // the steps and rows that are not masked
  const bool multiplies = G > 0 || b.inputs > 0;
  auto layout = [&](Cutter cutter) {
    packed = cutter.template cut<T>(G > 0 ? c.size() : 0);
    for (auto& half : d_hidden) half = cutter.template cut<T>(b.direct ? 0 : B * G * H);
    seen = cutter.template cut<const T*>(G > 0 ? T_ * B : 0);
    pairs = cutter.template cut<int64_t>(multiplies ? T_ * B : 0);
    for (auto& part : parts) {
      part.slots = cutter.template cut<T>(b.slots * entries);
      part.slots_after = cutter.template cut<T>(b.slots_after * entries);
      part.sums = cutter.template cut<T>(b.sums * H);
      part.d_start = cutter.template cut<T>(b.reset ? NS * H : 0);
      part.outer = cutter.template cut<T>(multiplies ? outer_scratch<T>(G > 0 ? H : 0, b.inputs) : 0);
      part.rows = cutter.template cut<const T*>(B);
      part.alive = cutter.template cut<int32_t>(B);
    }
    return cutter.used();
  };
  Scratch scratch(team, layout(Cutter(nullptr)));
  layout(Cutter(scratch.at()));
  if (NS > 0 && B > 0) std::copy_n(b.d_final, B * NS * H, b.d_state);
  if (b.d_dt) std::fill_n(b.d_dt, T_ * B, T(0));

  auto retreat = [&](int64_t p, Barrier* barrier) {
    const Part& part = parts[p];
    const auto& mine = rows_of[plan.by_units ? 0 : p];
    int64_t block_from = plan.by_units ? c.blocks() * p / plan.parts : 0;
    int64_t block_to = plan.by_units ? c.blocks() * (p + 1) / plan.parts : c.blocks();
    int64_t u_from = block_from * step, u_to = std::min(H, block_to * step);
    Shapes shapes(b, entries, step);
    shapes.among(block_to - block_from);
    auto take_all = [&] {
      block_from = u_from = 0, block_to = c.blocks(), u_to = H, barrier = nullptr;
      shapes.among(block_to);
    };
    fill_constants(part.slots, entries, b.constants_at, b.constants);
    fill_constants(part.slots_after, entries, b.constants_after_at, b.constants_after);
    std::fill_n(part.sums, b.sums * H, T(0));
    if (b.reset) std::fill_n(part.d_start, NS * H, T(0));
    View<T> views[B_COUNT];
    using V = View<T>;
    views[B_PARAMS] = {V::UNITS, const_cast<T*>(b.params_at), 0, nullptr, H};
    views[B_D_STATE] = {V::ROWS, b.d_state, NS * H, nullptr, H};
    views[B_SUMS] = {V::UNITS, part.sums, 0, nullptr, H};
    Tile<T> tile{part.slots, entries, 0, 0, 0, 0, nullptr};
    Product<T> product(c, packed, nullptr);
    for (int64_t s = T_ - 1; s >= 0; --s) {
      const int64_t t = b.reverse ? T_ - 1 - s : s;
      int64_t n = 0;
      for (int32_t row : mine) {
        if (!b.mask || flag(b.mask, b, t, row)) {
          part.alive[n++] = row;
          continue;
        }
        const int64_t at = t * B + row;
        for (int64_t g = 0; g < GI; ++g)
          std::fill(b.d_input + (at * GI + g) * H + u_from, b.d_input + (at * GI + g) * H + u_to, T(0));
        if (b.keep)
          for (int64_t i = 0; i < NS; ++i)
            for (int64_t u = u_from; u < u_to; ++u) b.d_state[(row * NS + i) * H + u] += b.d_kept[(at * NS + i) * H + u];
      }
      if (n > 0) {
        views[B_SAVED] = {V::ROWS, const_cast<T*>(b.saved) + t * B * GI * H, GI * H, nullptr, H};
        views[B_EXTRA] = {V::ROWS, const_cast<T*>(b.extra_at) + (b.extra_at ? t * B * NX * H : 0), NX * H, nullptr, H};
        views[B_DT] = {V::SCALARS, const_cast<T*>(b.dt) + (b.dt ? t * B : 0), 0, nullptr, H};
        views[B_Z] = {V::POINTERS, nullptr, 0, G > 0 ? const_cast<T* const*>(seen + t * B) : nullptr, H};
        views[B_D_Y] = {V::ROWS, const_cast<T*>(b.d_y) + t * B * H, H, nullptr, H};
        if (b.keep) views[B_D_STATES] = {V::ROWS, const_cast<T*>(b.d_kept) + t * B * NS * H, NS * H, nullptr, H};
        views[B_D_INPUT] = {V::ROWS, b.d_input + t * B * GI * H, GI * H, nullptr, H};
        T* half = d_hidden[s % 2];
        views[B_D_HIDDEN] = {V::ROWS, half, G * H, nullptr, H};
        views[B_D_EXTRA] = {V::ROWS, b.d_extra + (b.d_extra ? t * B * NX * H : 0), NX * H, nullptr, H};
        views[B_D_DT] = {V::SCALARS, b.d_dt + (b.d_dt ? t * B : 0), 0, nullptr, H};
        const Shape& shape = shapes.of(n);
        tile.slots = part.slots;
        for (int64_t block = block_from; block < block_to; block += shapes.blocks) {
          const int64_t blocks = std::min(shapes.blocks, block_to - block);
          tile.units = blocks * step, tile.first = block * step, tile.valid = std::min(tile.units, H - tile.first);
          for (int64_t r = 0; r < n; r += shape.rows) {
            tile.rows = std::min(shape.rows, n - r), tile.row = part.alive + r;
            run(b.before, tile, views);
          }
        }
        if (barrier && barrier->wait()) {
          if (p > 0) return;
          take_all();
        }
        if (G > 0) {
          for (int64_t i = 0; i < n; ++i)
            part.rows[i] = b.direct ? b.d_input + (t * B + part.alive[i]) * GI * H : half + part.alive[i] * G * H;
          tile.slots = part.slots_after;
          for (int64_t piece = 0; piece < shapes.pieces; ++piece) {
            const int64_t block = block_from + (s % 2 ? shapes.pieces - 1 - piece : piece) * shapes.blocks;
            const int64_t blocks = std::min(shapes.blocks, block_to - block);
            tile.units = blocks * step, tile.first = block * step, tile.valid = std::min(tile.units, H - tile.first);
            for (int64_t r = 0; r < n; r += shape.rows) {
              tile.rows = std::min(shape.rows, n - r), tile.row = part.alive + r;
              for (int64_t i = 0; i < blocks; ++i)
                product(block + i, part.rows + r, tile.rows, part.slots_after + b.constants_after * entries + i * step, entries,
                        tile.units);
              run(b.after, tile, views);
            }
          }
        }
      }
      if (!b.reset) continue;
      for (int32_t row : mine) {
        if (!flag(b.reset, b, t, row)) continue;
        for (int64_t i = 0; i < NS; ++i)
          for (int64_t u = u_from; u < u_to; ++u) {
            T& d = b.d_state[(row * NS + i) * H + u];
            part.d_start[i * H + u] += d;
            d = T(0);
          }
      }
    }
  };

  // What each product saw, found again by going through the masks and resets as the forward loop did.
  auto look = [&](int64_t row) {
    const T* now = b.z0 + row * H;
    for (int64_t s = 0; s < T_; ++s) {
      const int64_t t = b.reverse ? T_ - 1 - s : s, at = t * B + row;
      if (flag(b.reset, b, t, row)) now = b.z_start;
      if (b.mask && !flag(b.mask, b, t, row)) continue;
      seen[at] = b.y_is_hidden ? now : b.z + at * H;
      if (b.y_is_hidden) now = b.z + at * H;
    }
  };

  // The vectors of gradients that matrices are made of, and the gate of the product that each belongs to, or -1.
  std::vector<int64_t> vectors, gate_of;
  for (int64_t v = 0; v < GI + NX; ++v) {
    const int64_t gate = std::find(b.source, b.source + G, v) - b.source;
    if (gate == G && (b.inputs == 0 || v >= GI)) continue;
    vectors.push_back(v), gate_of.push_back(gate < G ? gate : -1);
  }

  int64_t count = 0;
  auto work = [&](int member, int members, Barrier& barrier) {
    if (G > 0) {
      for (int64_t block = member; block < c.blocks(); block += members) pack_backward<T>(c, b.R, block, packed);
      for (int64_t row = member; row < B; row += members) look(row);
    }
    barrier.wait();
    if (multiplies && member == members - 1) {
      for (int64_t i = 0; i < T_ * B; ++i)
        if (!b.mask || b.mask[i]) pairs[count++] = i;
    }
    if (members < plan.parts && plan.by_units) {
      barrier.wait();
      if (member == 0) {
        plan.parts = 1;
        retreat(0, nullptr);
      }
    } else {
      for (int64_t p = member; p < plan.parts; p += members) retreat(p, plan.by_units && G > 0 ? &barrier : nullptr);
    }
    barrier.wait();
    if (member == 0) {
      for (int64_t i = 0; i < b.sums * H; ++i) {
        b.d_sums[i] = T(0);
        for (int64_t p = 0; p < plan.parts; ++p) b.d_sums[i] += parts[p].sums[i];
      }
      for (int64_t i = 0; b.reset && i < NS * H; ++i) {
        b.d_start[i] = T(0);
        for (int64_t p = 0; p < plan.parts; ++p) b.d_start[i] += parts[p].d_start[i];
      }
    }
    if (!multiplies) return;
    auto a_at = [&](int64_t pair, int64_t i) -> const T* {
      const int64_t v = vectors[i];
      return v < GI ? b.d_input + (pair * GI + v) * H : b.d_extra + (pair * NX + v - GI) * H;
    };
    auto b_at = [&](int kind, int64_t pair) { return kind == 0 ? seen[pair] : b.x + pair * b.inputs; };
    auto c_at = [&](int kind, int64_t i) -> T* {
      if (kind == 1) return vectors[i] < GI ? b.d_W + vectors[i] * H * b.inputs : nullptr;
      return gate_of[i] < 0 ? nullptr : b.d_R + gate_of[i] * H * H;
    };
    auto sum_at = [&](int64_t i) -> T* { return b.inputs > 0 && vectors[i] < GI ? b.d_b + vectors[i] * H : nullptr; };
    const int64_t tiles = static_cast<int64_t>(vectors.size()) * outer_tiles(H);
    outer_product<T>(H, {G > 0 ? H : 0, b.inputs}, pairs, count, a_at, b_at, c_at, sum_at, tiles * member / members,
                     tiles * (member + 1) / members, parts[member].outer);
    barrier.wait();
    // Gates with the same gradient have the same matrix.
    for (int64_t g = 0; member == 0 && g < G; ++g)
      if (const int64_t first = std::find(b.source, b.source + g, b.source[g]) - b.source; first < g)
        std::copy_n(b.d_R + first * H * H, H * H, b.d_R + g * H * H);
  };
  gather(team, plan, G > 0, work);
}

}  // namespace

extern const Kernels table;
const Kernels table{OSTINATO_NAME,    forward<float>, forward<double>, backward<float>, backward<double>, map<float>,
                    map<double>,      sparse<float>,  sparse<double>,  gram<float>,     gram<double>,     peak,
                    reading};

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
