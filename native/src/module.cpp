// The door to Python: handlers for XLA, which read a call's arguments and refuse what does not fit, and a few switches.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <numeric>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif

#include "call.hpp"
#include "team.hpp"
#include "xla/ffi/api/ffi.h"

namespace nb = nanobind;
namespace ffi = xla::ffi;

namespace ostinato {
namespace {

int own_processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::shared_ptr<Team> team_now;  // by std::atomic_load: a change must not pull it away from a running call
std::atomic<const Kernels*> kernels_now{nullptr};

std::shared_ptr<Team> the_team() {
  auto team = std::atomic_load(&team_now);
  if (team) return team;
  auto made = std::make_shared<Team>(own_processors());
  return std::atomic_compare_exchange_strong(&team_now, &team, made) ? made : team;
}

const Kernels& the_kernels() {
  const Kernels* k = kernels_now.load(std::memory_order_acquire);
  if (k == nullptr) kernels_now.store(k = kernels(), std::memory_order_release);
  return *k;
}

struct Wrong {
  std::string why;
};

// Arguments or results in order, each with the type and shape that it must have.
template <class Buffers, bool RESULTS>
class Reader {
 public:
  Reader(const Buffers& buffers, ffi::DataType type) : buffers_(buffers), type_(type) {}

  void* next(const char* name, std::initializer_list<int64_t> dims, bool flags = false) {
    if (at_ >= buffers_.size()) throw Wrong{std::string(name) + ": is not there"};
    void* data;
    if constexpr (RESULTS)
      data = read(name, *buffers_.template get<ffi::AnyBuffer>(at_).value(), dims, flags);
    else
      data = read(name, buffers_.template get<ffi::AnyBuffer>(at_).value(), dims, flags);
    ++at_;
    return data;
  }

  void end() const {
    if (at_ != buffers_.size()) throw Wrong{"more buffers than were announced"};
  }

 private:
  void* read(const char* name, const ffi::AnyBuffer& buffer, std::initializer_list<int64_t> dims, bool flags) {
    if (buffer.element_type() != (flags ? ffi::PRED : type_)) throw Wrong{std::string(name) + ": its type"};
    auto has = buffer.dimensions();
    if (has.size() != dims.size() || !std::equal(has.begin(), has.end(), dims.begin()))
      throw Wrong{std::string(name) + ": its shape"};
    static double nothing;
    return buffer.untyped_data() == nullptr ? &nothing : buffer.untyped_data();
  }

  const Buffers& buffers_;
  ffi::DataType type_;
  size_t at_ = 0;
};

using Arguments = Reader<ffi::RemainingArgs, false>;
using Results = Reader<ffi::RemainingRets, true>;

// The announcement of a call: numbers, then the instructions.
class Spec {
 public:
  explicit Spec(ffi::Span<const int32_t> numbers) : numbers_(numbers) {}
  int64_t next() {
    if (at_ >= numbers_.size()) throw Wrong{"spec: too short"};
    return numbers_.begin()[at_++];
  }
  const int32_t* some(int64_t count) {
    if (count < 0 || static_cast<size_t>(count) > numbers_.size() - at_) throw Wrong{"spec: too short"};
    const int32_t* from = numbers_.begin() + at_;
    at_ += static_cast<size_t>(count);
    return from;
  }
  Code code(int64_t instructions) {
    if (instructions < 0 || instructions > (1 << 16)) throw Wrong{"program: its length"};
    return {reinterpret_cast<const Instr*>(some(5 * instructions)), instructions};
  }
  void end() const {
    if (at_ != numbers_.size()) throw Wrong{"spec: too long"};
  }

 private:
  ffi::Span<const int32_t> numbers_;
  size_t at_ = 0;
};

enum Flag : int64_t {
  REVERSE = 1, Y_IS_HIDDEN = 2, REDUCES = 4, BY_ROWS = 8, TRAIN = 16, KEEP = 32, BIAS = 64, MASK = 128, RESET = 256, DT = 512,
  DIRECT = 1024, PROJECTS = 2048
};

void common_flags(Common& c, int64_t flags) {
  c.reverse = flags & REVERSE, c.y_is_hidden = flags & Y_IS_HIDDEN;
  c.reduces = flags & REDUCES, c.by_rows = flags & BY_ROWS;
}

template <class Buffers>
ffi::AnyBuffer argument(const Buffers& buffers, size_t at, size_t axes) {
  if (buffers.size() <= at) throw Wrong{"too few arguments"};
  auto found = buffers.template get<ffi::AnyBuffer>(at).value();
  if (axes != 0 && found.dimensions().size() != axes) throw Wrong{"an argument: its shape"};
  return found;
}

// Large results mostly lie on pages that nobody has touched: few large pages are mapped sooner than many small ones. An
// advice that changes nothing else; where the system knows no large pages it does nothing.
void* on_large_pages(void* at, int64_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t LARGE = uintptr_t(1) << 21;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(at), from = (begin + LARGE - 1) / LARGE * LARGE;
  const uintptr_t to = (begin + static_cast<uintptr_t>(bytes)) / LARGE * LARGE;
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#else
  (void)bytes;
#endif
  return at;
}

template <class T>
void run_forward(ffi::DataType type, Spec spec, ffi::Span<const double> constants, const ffi::RemainingArgs& args,
                 const ffi::RemainingRets& rets) {
  Forward<T> f;
  f.gates_in = spec.next(), f.gates = spec.next(), f.states = spec.next(), f.params = spec.next(), f.extra = spec.next();
  f.slots = spec.next(), f.constants = spec.next();
  const int64_t flags = spec.next(), length = spec.next();
  common_flags(f, flags);
  f.train = flags & TRAIN, f.keep = flags & KEEP;
  const bool projects = flags & PROJECTS;
  auto dims = argument(args, 0, projects ? 3 : 4).dimensions();
  f.time = dims[0], f.batch = dims[1];
  f.hidden = projects ? argument(args, 1, 3).dimensions()[1] : dims[3];
  f.inputs = projects ? dims[2] : 0;
  if (projects && f.inputs == 0) throw Wrong{"the first argument: no features"};
  f.code = spec.code(length);
  spec.end();
  if (static_cast<size_t>(f.constants) != constants.size()) throw Wrong{"constants: their number"};
  f.constants_at = constants.begin();
  const int64_t S = f.time, B = f.batch, H = f.hidden, G = f.gates, NS = f.states;
  Arguments in(args, type);
  auto get = [&](const char* name, std::initializer_list<int64_t> d) { return static_cast<const T*>(in.next(name, d)); };
  if (projects)
    f.x = get("x", {S, B, f.inputs}), f.W = get("W", {f.gates_in, H, f.inputs}), f.b = get("b", {f.gates_in, H});
  else
    f.input = get("from_input", {S, B, f.gates_in, H});
  if (G > 0) f.R = get("R", {G, H, H}), f.z0 = get("hidden", {B, H});
  if (flags & BIAS) f.bias = get("b_h", {G, H});
  f.state0 = get("state", {B, NS, H});
  f.params_at = get("parameters", {f.params, H});
  if (flags & RESET) {
    f.start = get("start", {NS, H});
    if (G > 0) f.z_start = get("hidden of start", {H});
    f.reset = static_cast<const uint8_t*>(in.next("reset", {S, B}, true));
  }
  if (flags & DT) f.dt = get("dt", {S, B});
  if (flags & MASK) f.mask = static_cast<const uint8_t*>(in.next("mask", {S, B}, true));
  in.end();
  Results out(rets, type);
  auto put = [&](const char* name, std::initializer_list<int64_t> d) {
    const int64_t count = std::accumulate(d.begin(), d.end(), int64_t(1), std::multiplies<>());
    return static_cast<T*>(on_large_pages(out.next(name, d), count * int64_t(sizeof(T))));
  };
  f.y = put("ys", {S, B, H});
  f.final = put("final", {B, NS, H});
  if (f.train) {
    f.saved = put("saved", {S, B, f.gates_in, H});
    f.extra_at = put("extra", {S, B, f.extra, H});
    if (G > 0 && !f.y_is_hidden) f.z = put("seen", {S, B, H});
  }
  if (f.keep) f.kept = put("states", {S, B, NS, H});
  out.end();
  if (std::string why = refusal(f); !why.empty()) throw Wrong{why};
  auto team = the_team();
  if constexpr (std::is_same_v<T, float>)
    the_kernels().forward32(f, *team);
  else
    the_kernels().forward64(f, *team);
}

template <class T>
void run_backward(ffi::DataType type, Spec spec, ffi::Span<const double> constants, const ffi::RemainingArgs& args,
                  const ffi::RemainingRets& rets) {
  Backward<T> b;
  auto dims = argument(args, 0, 4).dimensions();
  b.time = dims[0], b.batch = dims[1], b.hidden = dims[3];
  b.gates_in = spec.next(), b.gates = spec.next(), b.states = spec.next(), b.params = spec.next(), b.extra = spec.next();
  b.sums = spec.next(), b.slots = spec.next(), b.constants = spec.next(), b.slots_after = spec.next();
  b.constants_after = spec.next();
  const int64_t flags = spec.next(), before = spec.next(), after = spec.next();
  common_flags(b, flags);
  b.keep = flags & KEEP, b.direct = flags & DIRECT;
  b.source = spec.some(b.gates);
  b.before = spec.code(before), b.after = spec.code(after);
  spec.end();
  if (b.constants < 0 || b.constants_after < 0 || static_cast<size_t>(b.constants + b.constants_after) != constants.size())
    throw Wrong{"constants: their number"};
  b.constants_at = constants.begin(), b.constants_after_at = constants.begin() + b.constants;
  const int64_t S = b.time, B = b.batch, H = b.hidden, G = b.gates, NS = b.states;
  Arguments in(args, type);
  auto get = [&](const char* name, std::initializer_list<int64_t> d) { return static_cast<const T*>(in.next(name, d)); };
  b.saved = get("saved", {S, B, b.gates_in, H});
  b.extra_at = get("extra", {S, B, b.extra, H});
  if (G > 0) b.z = get("seen", {S, B, H}), b.z0 = get("hidden", {B, H}), b.R = get("R", {G, H, H});
  b.d_y = get("d_ys", {S, B, H});
  b.d_final = get("d_final", {B, NS, H});
  if (b.keep) b.d_kept = get("d_states", {S, B, NS, H});
  b.params_at = get("parameters", {b.params, H});
  if (flags & RESET) {
    if (G > 0) b.z_start = get("hidden of start", {H});
    b.reset = static_cast<const uint8_t*>(in.next("reset", {S, B}, true));
  }
  if (flags & DT) b.dt = get("dt", {S, B});
  if (flags & MASK) b.mask = static_cast<const uint8_t*>(in.next("mask", {S, B}, true));
  if (flags & PROJECTS) {
    b.inputs = argument(args, args.size() - 1, 3).dimensions()[2];
    b.x = get("x", {S, B, b.inputs});
    if (b.inputs == 0) throw Wrong{"x: no features"};
  }
  in.end();
  Results out(rets, type);
  auto put = [&](const char* name, std::initializer_list<int64_t> d) {
    const int64_t count = std::accumulate(d.begin(), d.end(), int64_t(1), std::multiplies<>());
    return static_cast<T*>(on_large_pages(out.next(name, d), count * int64_t(sizeof(T))));
  };
  b.d_input = put("d_from_input", {S, B, b.gates_in, H});
  b.d_extra = put("d_extra", {S, B, b.extra, H});
  if (G > 0) b.d_R = put("d_R", {G, H, H});
  b.d_sums = put("d_parameters", {b.sums, H});
  b.d_state = put("d_state", {B, NS, H});
  if (flags & RESET) b.d_start = put("d_start", {NS, H});
  if (flags & DT) b.d_dt = put("d_dt", {S, B});
  if (flags & PROJECTS) b.d_W = put("d_W", {b.gates_in, H, b.inputs}), b.d_b = put("d_b", {b.gates_in, H});
  out.end();
  if (std::string why = refusal(b); !why.empty()) throw Wrong{why};
  auto team = the_team();
  if constexpr (std::is_same_v<T, float>)
    the_kernels().backward32(b, *team);
  else
    the_kernels().backward64(b, *team);
}

template <class Run32, class Run64>
ffi::Error guarded(const ffi::RemainingArgs& args, Run32 run32, Run64 run64) {
  try {
    const ffi::DataType type = argument(args, 0, 0).element_type();
    if (type == ffi::F32)
      run32(type);
    else if (type == ffi::F64)
      run64(type);
    else
      throw Wrong{"expected float32 or float64"};
    return ffi::Error::Success();
  } catch (const Wrong& wrong) {
    return ffi::Error::InvalidArgument("ostinato: refused: " + wrong.why);
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "ostinato: no memory for the loop");
  }
}

ffi::Error forward_call(ffi::Span<const int32_t> spec, ffi::Span<const double> constants, ffi::RemainingArgs args,
                        ffi::RemainingRets rets) {
  return guarded(
      args, [&](ffi::DataType type) { run_forward<float>(type, Spec(spec), constants, args, rets); },
      [&](ffi::DataType type) { run_forward<double>(type, Spec(spec), constants, args, rets); });
}

ffi::Error backward_call(ffi::Span<const int32_t> spec, ffi::Span<const double> constants, ffi::RemainingArgs args,
                         ffi::RemainingRets rets) {
  return guarded(
      args, [&](ffi::DataType type) { run_backward<float>(type, Spec(spec), constants, args, rets); },
      [&](ffi::DataType type) { run_backward<double>(type, Spec(spec), constants, args, rets); });
}

XLA_FFI_DEFINE_HANDLER(forward_handler, forward_call,
                       ffi::Ffi::Bind()
                           .Attr<ffi::Span<const int32_t>>("spec")
                           .Attr<ffi::Span<const double>>("constants")
                           .RemainingArgs()
                           .RemainingRets());
XLA_FFI_DEFINE_HANDLER(backward_handler, backward_call,
                       ffi::Ffi::Bind()
                           .Attr<ffi::Span<const int32_t>>("spec")
                           .Attr<ffi::Span<const double>>("constants")
                           .RemainingArgs()
                           .RemainingRets());

template <class T>
void run_sparse(const ffi::AnyBuffer& values, const ffi::AnyBuffer& columns, const ffi::AnyBuffer& starts,
                const ffi::AnyBuffer& x, ffi::AnyBuffer& y) {
  auto sizes = [](const ffi::AnyBuffer& b) { return b.dimensions(); };
  if (sizes(values).size() != 1 || sizes(columns).size() != 1 || sizes(starts).size() != 1 || sizes(x).size() != 2 ||
      sizes(y).size() != 2 || columns.element_type() != ffi::S32 || starts.element_type() != ffi::S32 ||
      x.element_type() != values.element_type() || y.element_type() != values.element_type())
    throw Wrong{"sparse: types or shapes"};
  Sparse<T> s;
  s.entries = sizes(values)[0], s.columns_of_x = sizes(x)[0];
  s.rows = sizes(y)[0], s.width = sizes(y)[1];
  if (s.rows == 0 || s.width == 0) return;
  const int64_t edges = sizes(starts)[0] - 1;
  s.blocks = edges / s.rows;
  if (sizes(columns)[0] != s.entries || edges < s.rows || edges % s.rows != 0 || sizes(x)[1] != s.width)
    throw Wrong{"sparse: shapes"};
  s.starts = static_cast<const int32_t*>(starts.untyped_data());
  s.columns = static_cast<const int32_t*>(columns.untyped_data());
  for (int64_t i = 0; i < edges; ++i)
    if (s.starts[i] > s.starts[i + 1]) throw Wrong{"sparse: starts"};
  if (s.starts[0] < 0 || s.starts[edges] > s.entries) throw Wrong{"sparse: starts"};
  s.values = static_cast<const T*>(values.untyped_data()), s.x = static_cast<const T*>(x.untyped_data());
  s.y = static_cast<T*>(y.untyped_data());
  auto team = the_team();
  bool fits;
  if constexpr (std::is_same_v<T, float>)
    fits = the_kernels().sparse32(s, *team);
  else
    fits = the_kernels().sparse64(s, *team);
  if (!fits) throw Wrong{"sparse: columns"};
}

ffi::Error sparse_call(ffi::AnyBuffer values, ffi::AnyBuffer columns, ffi::AnyBuffer starts, ffi::AnyBuffer x,
                       ffi::Result<ffi::AnyBuffer> y) {
  try {
    if (values.element_type() == ffi::F32)
      run_sparse<float>(values, columns, starts, x, *y);
    else if (values.element_type() == ffi::F64)
      run_sparse<double>(values, columns, starts, x, *y);
    else
      throw Wrong{"expected float32 or float64"};
    return ffi::Error::Success();
  } catch (const Wrong& wrong) {
    return ffi::Error::InvalidArgument("ostinato: refused: " + wrong.why);
  }
}

XLA_FFI_DEFINE_HANDLER(sparse_handler, sparse_call,
                       ffi::Ffi::Bind()
                           .Arg<ffi::AnyBuffer>()
                           .Arg<ffi::AnyBuffer>()
                           .Arg<ffi::AnyBuffer>()
                           .Arg<ffi::AnyBuffer>()
                           .Ret<ffi::AnyBuffer>());

ffi::Error gram_call(ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y) {
  auto from = x.dimensions(), to = y->dimensions();
  if (from.size() != 2 || to.size() != 2 || to[0] != from[1] || to[1] != from[1] || y->element_type() != x.element_type())
    return ffi::Error::InvalidArgument("ostinato: refused: gram: types or shapes");
  try {
    auto team = the_team();
    if (x.element_type() == ffi::F32)
      the_kernels().gram32(x.typed_data<float>(), from[0], from[1], y->typed_data<float>(), *team);
    else if (x.element_type() == ffi::F64)
      the_kernels().gram64(x.typed_data<double>(), from[0], from[1], y->typed_data<double>(), *team);
    else
      return ffi::Error::InvalidArgument("ostinato: refused: gram: expected float32 or float64");
    return ffi::Error::Success();
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "ostinato: no memory for the product");
  }
}

XLA_FFI_DEFINE_HANDLER(gram_handler, gram_call, ffi::Ffi::Bind().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());

// What all threads reach at once: two that share a core do not do twice as much as one.
template <class Rate>
double of_all_threads(Rate rate) {
  auto team = the_team();
  std::vector<double> found(team->size(), 0.0);
  team->together(team->size(), [&](int member, int, Barrier& barrier) {
    barrier.wait();
    found[member] = rate();
  });
  return std::accumulate(found.begin(), found.end(), 0.0);
}

template <class T>
void apply(int32_t op, nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu> a,
           nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu> out) {
  if (op < COPY || op > IS_FINITE || a.shape(0) != out.shape(0)) throw nb::value_error("apply: operation or shapes");
  const auto count = static_cast<int64_t>(a.shape(0));
  if constexpr (std::is_same_v<T, float>)
    the_kernels().map32(op, a.data(), out.data(), count);
  else
    the_kernels().map64(op, a.data(), out.data(), count);
}

}  // namespace
}  // namespace ostinato

NB_MODULE(_native, m) {
  using namespace ostinato;
  m.def("handlers", [] {
    nb::dict found;
    found["ostinato_forward"] = nb::capsule(reinterpret_cast<void*>(forward_handler));
    found["ostinato_backward"] = nb::capsule(reinterpret_cast<void*>(backward_handler));
    found["ostinato_gram"] = nb::capsule(reinterpret_cast<void*>(gram_handler));
    found["ostinato_sparse"] = nb::capsule(reinterpret_cast<void*>(sparse_handler));
    return found;
  });
  m.def("build", [] { return std::string(the_kernels().name); });
  m.def("builds", [] {
    std::vector<std::string> names;
    for (const char* name : {"baseline", "v3", "v4"})
      if (kernels(name)) names.emplace_back(name);
    return names;
  });
  m.def("use_build", [](const std::string& name) {
    const Kernels* k = kernels(name.c_str());
    if (k == nullptr) throw nb::value_error("use_build: not on this machine");
    kernels_now.store(k);
  });
  m.def("threads", [] { return the_team()->size(); });
  m.def("use_threads", [](int count) {
    if (count < 1) throw nb::value_error("use_threads: expected 1 or more");
    std::atomic_store(&team_now, std::make_shared<Team>(count));
  });
  m.def("peak", [](double seconds) { return of_all_threads([=] { return the_kernels().peak32(seconds); }); });
  m.def("reading", [](int64_t bytes, double seconds) {
    return of_all_threads([=] { return the_kernels().reading(bytes, seconds); });
  });
  m.def("apply", &apply<float>);
  m.def("apply", &apply<double>);
}
