// What products by panels share.
#pragma once

// a*b + c within one expression may be fused where the processor can.
#pragma STDC FP_CONTRACT ON

// Summed entries and packed rows at a time.
enum { DEPTH = 256, GROUP = 24 };
