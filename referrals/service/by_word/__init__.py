"""A yes that was heard and not pressed: read out, coded, taken back."""
