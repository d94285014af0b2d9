"""Names of array shapes, used in annotations throughout.

`*batch` stands for any number of leading axes, also none. Symbols of axes: `time`, `features`, `gates`, `hidden`,
`input`.
"""

from typing import Any

from jaxtyping import Array, Bool, Float, PyTree

Values = Float[Array, "*batch time features"]
Mask = Bool[Array, "*batch time"]
Steps = Float[Array, "*batch time"]
Observed = Bool[Array, "*batch time features"]
State = PyTree[Any]
Params = PyTree[Any]
