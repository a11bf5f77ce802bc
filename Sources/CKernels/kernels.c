#include "CKernels.h"
void hk_placeholder(void) {}
