"""How is it shown? Figures as pure functions, the kinds of sections, and the self-contained report."""

from .contents import Cards as Cards
from .contents import Confusion as Confusion
from .contents import Curve as Curve
from .contents import Lines as Lines
from .contents import Matrix as Matrix
from .contents import Multiples as Multiples
from .contents import Network as Network
from .contents import Residuals as Residuals
from .contents import Scatter as Scatter
from .contents import Table as Table
from .contents import Text as Text
from .contents import Trial as Trial
from .contents import numbers as numbers
from .contents import section as section
from .flow import flow_figure as flow_figure
from .heatmap import confusion_figure as confusion_figure
from .lines import Line as Line
from .lines import line_figure as line_figure
from .matrix import matrix_figure as matrix_figure
from .network import network_figure as network_figure
from .report import render as render
from .report import write_report as write_report
from .scatter import scatter_figure as scatter_figure
from .sections import SECTIONS as SECTIONS
from .svg import standalone as standalone
from .trial import trial_figure as trial_figure
