"""An alarm, whom it wakes, safety plans and what may be shared of them."""
