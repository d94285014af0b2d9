"""Fit and predict for a purpose: forecasting, classifying and regressing sequences, and the baselines beside them."""

from .agents import load_agent as load_agent
from .agents import make_environment as make_environment
from .agents import make_learner as make_learner
from .approximate_lotka_volterra import ApproximateLotkaVolterra as ApproximateLotkaVolterra
from .backtest import Backtest as Backtest
from .base import Estimator as Estimator
from .baselines import LinearAR as LinearAR
from .baselines import Mean as Mean
from .baselines import Persistence as Persistence
from .baselines import SeasonalNaive as SeasonalNaive
from .classifier import SequenceClassifier as SequenceClassifier
from .community import CommunityForecast as CommunityForecast
from .community import CommunityModel as CommunityModel
from .consumer_resource import ConsumerResource as ConsumerResource
from .esn import ESN as ESN
from .forecast import Forecast as Forecast
from .forecaster import Forecaster as Forecaster
from .lotka_volterra import LotkaVolterra as LotkaVolterra
from .lotka_volterra_fit import refine_lotka_volterra as refine_lotka_volterra
from .lotka_volterra_fit import regress_lotka_volterra as regress_lotka_volterra
from .regressor import SequenceRegressor as SequenceRegressor
from .table import MODELS as MODELS
from .table import load_model as load_model
from .tree_esn import TreeESN as TreeESN
