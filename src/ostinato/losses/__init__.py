"""What is minimised? Losses of one output and one target; rules weight and sum them."""

from .classification import binary_cross_entropy as binary_cross_entropy
from .classification import cross_entropy as cross_entropy
from .regression import absolute as absolute
from .regression import huber as huber
from .regression import quantile as quantile
from .regression import squared as squared
