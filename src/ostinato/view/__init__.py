"""How is it shown? Figures as pure functions, and the self-contained report."""

from .agents import agents_report as agents_report
from .flow import flow_figure as flow_figure
from .heatmap import confusion_figure as confusion_figure
from .lines import Line as Line
from .lines import line_figure as line_figure
from .matrix import matrix_figure as matrix_figure
from .network import network_figure as network_figure
from .report import render as render
from .report import write_report as write_report
from .scatter import scatter_figure as scatter_figure
from .svg import standalone as standalone
from .trial import trial_figure as trial_figure
