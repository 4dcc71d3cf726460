/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

  .section .rodata
  .balign 64
  .global vidgen_mini_embedded_start
  .hidden vidgen_mini_embedded_start
vidgen_mini_embedded_start:
  .incbin VIDGEN_MINI_EMBEDDED
  .global vidgen_mini_embedded_end
  .hidden vidgen_mini_embedded_end
vidgen_mini_embedded_end:
  .byte 0
  .section .note.GNU-stack, "", %progbits
