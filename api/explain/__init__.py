"""Why a meter's values are what they are."""
