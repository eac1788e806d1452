#![no_main]

capsnet_fuzz::fuzz!(mat);
