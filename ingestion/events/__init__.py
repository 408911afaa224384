"""What a meter's events mean: the dictionary of codes and status-word bits, as data. No landing, no alerts, no database."""

from ingestion.events.dictionary import DICTIONARY, Dictionary, DictionaryError, EswChange, MeterEvent, Role, esw_bits, load

__all__ = ["DICTIONARY", "Dictionary", "DictionaryError", "EswChange", "MeterEvent", "Role", "esw_bits", "load"]
