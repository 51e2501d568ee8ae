"""The format `acme`: where Acme Parcels puts number, times and codes, and what its codes mean, is in `acme.toml`."""

from importlib.resources import files

from streams.adapt.formats import from_toml

FORMAT = from_toml("acme", files(__package__).joinpath("acme.toml").read_text(encoding="utf-8"))
