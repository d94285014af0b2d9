"""Fit and predict for a purpose: forecasting, classifying and regressing sequences, and the baselines beside them."""

from .base import Estimator as Estimator
from .forecast.backtest import Backtest as Backtest
from .forecast.baselines import LinearAR as LinearAR
from .forecast.baselines import Mean as Mean
from .forecast.baselines import Persistence as Persistence
from .forecast.baselines import SeasonalNaive as SeasonalNaive
from .forecast.forecast import Forecast as Forecast
from .forecast.forecaster import Forecaster as Forecaster
from .reservoirs.esn import ESN as ESN
from .reservoirs.tree_esn import TreeESN as TreeESN
from .sequences.classifier import SequenceClassifier as SequenceClassifier
from .sequences.regressor import SequenceRegressor as SequenceRegressor
from .table import MODELS as MODELS
from .table import load as load
from .targets import Labels as Labels
from .targets import Numbers as Numbers
from .targets import Target as Target
from .trained import TrainedEstimator as TrainedEstimator
