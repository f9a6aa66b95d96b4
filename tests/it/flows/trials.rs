//! Whole orders in virtual time, over real HTTP and PostgreSQL: every mishap the simulator knows.
