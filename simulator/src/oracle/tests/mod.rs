//! The oracle keeps quiet about everything the machine can do, and about nothing else.

mod bent;
mod bent_figures;
mod bent_models;
mod bent_outage;
mod bent_words;
mod bent_workers;
mod callbacks;
mod goals;
mod legal;
mod random;
mod tale;
