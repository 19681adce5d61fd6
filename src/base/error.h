/*
 * The error rule of the whole tree. A function that can fail returns int:
 *   0         success; outputs, named ret_*, are set
 *   negative  fatal to what was asked: -ENOMEM, -EIO and the like; forwarded unchanged; outputs untouched
 *   positive  an outcome documented at the function, which its direct caller handles
 * Libraries never log and never exit.
 */
#ifndef GUIA_BASE_ERROR_H
#define GUIA_BASE_ERROR_H

#include <errno.h>

#endif
