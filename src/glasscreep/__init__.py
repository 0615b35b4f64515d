"""Creep and plasticity of glasses, as campaigns of simulations."""

__version__ = "0.1.0"
