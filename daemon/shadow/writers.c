#include "daemon/shadow/writers.h"
