"""The table of community models, by the name that stands in their files."""

from ostinato.communities.approximate_lotka_volterra import ApproximateLotkaVolterra
from ostinato.communities.consumer_resource import ConsumerResource
from ostinato.communities.lotka_volterra import LotkaVolterra
from ostinato.communities.model import CommunityModel
from ostinato.models.base import Estimator

COMMUNITY_MODELS: dict[str, type[Estimator]] = {
    model.kind: model for model in (CommunityModel, ApproximateLotkaVolterra, LotkaVolterra, ConsumerResource)
}
"""For `models.load(folder, COMMUNITY_MODELS)`."""
