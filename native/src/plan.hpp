// How a call is laid out: its memory, who does which rows or units, tiles of a program.
#pragma once

#include <numeric>
#include <vector>

#include "product.hpp"
#include "team.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {
namespace {

constexpr int64_t TILE = 384;            // entries of a slot, so that the slots of a program stay in the first cache
constexpr int64_t MATRIX_ALONE = 40000;  // from so many weights on, a single row is shared by units
constexpr size_t ALIGN = 64;

// Cuts one piece of memory into arrays; first run without memory to learn the size.
class Cutter {
 public:
  explicit Cutter(char* memory) : memory_(memory) {}
  template <class T>
  T* cut(int64_t count) {
    const size_t at = used_;
    used_ += (static_cast<size_t>(count) * sizeof(T) + ALIGN - 1) / ALIGN * ALIGN;
    return memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + at);
  }
  size_t used() const { return used_; }

 private:
  char* memory_;
  size_t used_ = 0;
};

// How a call is shared: by rows, or by units where there are few rows and many units.
struct Plan {
  int64_t parts = 1;
  bool by_units = false;
};

template <class T>
Plan plan_of(const Common& c, int64_t blocks, const Team& team) {
  const double work = double(c.time) * double(c.batch) * double(c.hidden) * (double(c.gates) * double(c.hidden) + 40.0);
  Plan plan;
  if (team.size() <= 1 || c.batch == 0 || work < team.worth) return plan;
  const int64_t matrix = c.gates * c.hidden * c.hidden * int64_t(sizeof(T));
  const bool few = c.batch == 1 || (c.batch < 8 && matrix > (int64_t(1) << 20));
  if (!c.by_rows && !c.reduces && few && c.gates * c.hidden * c.hidden >= MATRIX_ALONE && blocks > 1) {
    plan.by_units = true;
    plan.parts = std::min<int64_t>(team.size(), blocks);
  } else {
    plan.parts = std::min<int64_t>(team.size(), c.batch);
  }
  return plan;
}

template <class F>
void gather(Team& team, const Plan& plan, bool meets, F work) {
  const int wanted = static_cast<int>(plan.parts);
  if (plan.by_units && meets)
    team.in_step(wanted, work);
  else
    team.together(wanted, work);
}

// The rows of each part, long ones dealt out first so that all parts end together.
std::vector<std::vector<int32_t>> deal(const Common& c, const uint8_t* mask, int64_t parts) {
  std::vector<std::vector<int32_t>> rows(parts);
  std::vector<int64_t> alive(c.batch, 0);
  if (mask)
    for (int64_t t = 0; t < c.time; ++t)
      for (int64_t b = 0; b < c.batch; ++b) alive[b] += mask[t * c.batch + b] != 0;
  std::vector<int32_t> order(c.batch);
  std::iota(order.begin(), order.end(), 0);
  if (!mask) {
    for (int64_t p = 0; p < parts; ++p)
      rows[p].assign(order.begin() + c.batch * p / parts, order.begin() + c.batch * (p + 1) / parts);
    return rows;
  }
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return alive[a] > alive[b]; });
  for (int64_t i = 0; i < c.batch; ++i) {
    const int64_t turn = i / parts, at = i % parts;
    rows[turn % 2 == 0 ? at : parts - 1 - at].push_back(order[i]);
  }
  return rows;
}

// Tiles of a program: rows x units.
struct Shape {
  int64_t rows, units;
};

template <class T>
int64_t tile_entries(const Common& c, int64_t unit_step) {
  const int64_t lanes = LANES<T>, padded = (c.hidden + lanes - 1) / lanes * lanes;
  const int64_t all = (padded + unit_step - 1) / unit_step * unit_step;
  return std::max(c.reduces ? all : 0, std::max(TILE, 8 * unit_step));
}

// As many rows as fit with one step of units, then as many units as fit with these rows.
inline Shape shape_of(const Common& c, int64_t entries, int64_t unit_step, int64_t rows) {
  const int64_t steps = (c.hidden + unit_step - 1) / unit_step;
  if (c.reduces) return {std::max<int64_t>(1, std::min(rows, entries / (steps * unit_step))), steps * unit_step};
  // Chunks of equal size: thirty-two rows are two times sixteen, not twenty-four and eight.
  const int64_t most = std::max<int64_t>(1, entries / unit_step), pieces = (rows + most - 1) / most;
  const int64_t each = (rows + pieces - 1) / pieces;
  const int64_t units = std::min(steps, std::max<int64_t>(1, entries / (unit_step * each)));
  return {each, units * unit_step};
}

// The same for the number of rows of this step, found anew only where that number changes.
class Shapes {
 public:
  Shapes(const Common& c, int64_t entries, int64_t unit_step) : c_(c), entries_(entries), step_(unit_step) {}
  // Blocks of a tile are beside it, so that nobody has to divide.
  const Shape& of(int64_t rows) {
    if (rows != rows_) {
      shape_ = shape_of(c_, entries_, step_, rows_ = rows), blocks = shape_.units / step_;
      among(among_);
    }
    return shape_;
  }
  // How many blocks there are to be cut into tiles.
  void among(int64_t all) {
    among_ = all;
    if (blocks > 0) pieces = (all + blocks - 1) / blocks;
  }
  int64_t blocks = 0, pieces = 0;

 private:
  const Common& c_;
  int64_t entries_, step_, among_ = 0, rows_ = -1;
  Shape shape_{};
};

template <class T>
void fill_constants(T* slots, int64_t stride, const double* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) std::fill_n(slots + i * stride, stride, static_cast<T>(values[i]));
}

}  // namespace
}  // namespace OSTINATO_BUILD
}  // namespace ostinato
