"""What is predicted for a sequence, or for each of its steps: labels or numbers; a further kind is one file more."""

from .base import Target as Target
from .labels import Labels as Labels
from .numbers import Numbers as Numbers
