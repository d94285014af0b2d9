"""What becomes of a community of microbes? Models, their baselines and intervals, design, and explanations."""

from .ablation import Ablation as Ablation
from .ablation import ablation as ablation
from .approximate_lotka_volterra import ApproximateLotkaVolterra as ApproximateLotkaVolterra
from .consumer_resource import ConsumerResource as ConsumerResource
from .explain import Carbon as Carbon
from .explain import Edge as Edge
from .explain import Surrogate as Surrogate
from .explain import carbon as carbon
from .explain import gradients as gradients
from .explain import influences as influences
from .explain import sensitivity as sensitivity
from .explain import surrogate as surrogate
from .forecast import CommunityForecast as CommunityForecast
from .lotka_volterra import LotkaVolterra as LotkaVolterra
from .model import CommunityModel as CommunityModel
from .page import explained as explained
from .table import COMMUNITY_MODELS as COMMUNITY_MODELS
