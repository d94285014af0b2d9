"""Other libraries of the field: their interfaces over the forecasters of this one, one file each, as extras."""
