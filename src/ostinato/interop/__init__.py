"""Other libraries of the field: their interfaces over the forecasters of this one, one file each.

What needs a library that is not a dependency is imported by its file: `ostinato.interop.sktime`.
"""

from .long import LongForecaster as LongForecaster
