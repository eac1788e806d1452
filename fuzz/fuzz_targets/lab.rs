#![no_main]

capsnet_fuzz::fuzz!(lab);
