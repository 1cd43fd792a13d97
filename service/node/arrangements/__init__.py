"""Steps in the life of an arrangement, for one hosted member."""
