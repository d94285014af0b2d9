// x' x: the products of all pairs of columns, half of them computed and the other half copied.
#pragma once

#include <cmath>
#include <numeric>
#include <vector>

#include "outer.hpp"
#include "team.hpp"

namespace ostinato {
namespace OSTINATO_BUILD {

// x (count, width), y (width, width).
template <class T>
void gram(const T* x, int64_t count, int64_t width, T* y, Team& team) {
  if (width == 0) return;
  std::vector<int64_t> rows(count);
  std::iota(rows.begin(), rows.end(), int64_t(0));
  const int64_t tiles = outer_tiles(width);
  const int wanted = double(count) * double(width) * double(width) < 2 * team.worth ? 1 : team.size();
  const size_t size = outer_scratch<T>(width);
  Scratch scratch(team, wanted * size * sizeof(T) + 64);
  team.together(wanted, [&](int member, int members, Barrier& barrier) {
    // The first rows reach the furthest: shares of equal area.
    auto edge = [&](int part) {
      return part == members ? tiles : static_cast<int64_t>(double(tiles) * (1 - std::sqrt(1 - double(part) / members)));
    };
    auto row_of = [&](int, int64_t pair) { return x + pair * width; };
    auto column_of = [&](int64_t pair, int64_t) { return x + pair * width; };
    auto whole = [&](int, int64_t) { return y; };
    auto nowhere = [](int64_t) -> T* { return nullptr; };
    outer_product<T, true>(width, {width, 0}, rows.data(), count, column_of, row_of, whole, nowhere, edge(member),
                           edge(member + 1), reinterpret_cast<T*>(scratch.at()) + member * size);
    barrier.wait();
    for (int64_t i = width * member / members; i < width * (member + 1) / members; ++i)
      for (int64_t j = 0; j < i; ++j) y[i * width + j] = y[j * width + i];
  });
}

}  // namespace OSTINATO_BUILD
}  // namespace ostinato
