// What products by panels share.
#pragma once

// a*b + c within one expression may be fused where the processor can.
#pragma STDC FP_CONTRACT ON

// Bytes of a vector; summed entries and packed rows at a time.
enum { LANE_BYTES = 32, DEPTH = 256, GROUP = 24 };
