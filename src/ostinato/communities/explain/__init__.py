"""What has a community model learned? Where it is right, who changes what, where the carbon goes."""

from .carbon import CARBON as CARBON
from .carbon import Carbon as Carbon
from .carbon import carbon as carbon
from .gradients import gradients as gradients
from .influences import Edge as Edge
from .influences import influences as influences
from .sensitivity import sensitivity as sensitivity
from .surrogate import Surrogate as Surrogate
from .surrogate import surrogate as surrogate
