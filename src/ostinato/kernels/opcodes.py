"""Numbers that Python and the compiled loop share: operations, arrays, flags; those of `native/src/call.hpp`."""

_NAMES = """
load store accumulate row_sum
copy neg abs sign exp log log1p expm1 tanh logistic sqrt rsqrt square reciprocal is_finite
add sub mul div min max lt le eq ne
fma fnma fms select
reduce_sum reduce_max reduce_min
add_load
"""

OPCODES: dict[str, int] = {name: number for number, name in enumerate(_NAMES.split())}
"""Operations of a vector program by name."""

# Arrays of the forward program.
INPUT, STATE, PARAMS, DT, Y, SAVED, EXTRA, Z, STATES = range(9)

# Arrays of the backward programs; those that it shares with the forward one have other numbers.
(
    B_SAVED,
    B_EXTRA,
    B_PARAMS,
    B_DT,
    B_Z,
    B_D_Y,
    B_D_STATE,
    B_D_STATES,
    B_D_INPUT,
    B_D_HIDDEN,
    B_D_EXTRA,
    B_SUMS,
    B_D_DT,
) = range(13)

REVERSE, Y_IS_HIDDEN, REDUCES, BY_ROWS, TRAIN, KEEP, BIAS, MASK, RESET, HAS_DT, DIRECT, PROJECTS = (
    1 << k for k in range(12)
)
