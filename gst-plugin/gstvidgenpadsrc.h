/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/base/gstpushsrc.h>

#include "gst-plugin/session.h"

G_BEGIN_DECLS

/* What the two sources inside vidgensrc share: they take slots from a session,
 * live on the pipeline's clock, and answer for the session's timeline.
 */
#define GST_TYPE_VIDGEN_PAD_SRC (gst_vidgen_pad_src_get_type ())
G_DECLARE_DERIVABLE_TYPE (
    GstVidgenPadSrc, gst_vidgen_pad_src, GST, VIDGEN_PAD_SRC, GstPushSrc)

struct _GstVidgenPadSrcClass {
  GstPushSrcClass parent_class;

  VidgenTrack track;
  /* Behind a seek, with the stream times at which the output begins and ends;
   * may be NULL. */
  void (*restarted) (GstVidgenPadSrc *src, const VidgenTimeline *timeline,
      GstClockTime start, GstClockTime stop);
  /* Of the format DEFAULT. */
  guint64 (*unit_at) (const VidgenTimeline *timeline, GstClockTime time);
  GstClockTime (*unit_time) (const VidgenTimeline *timeline, guint64 unit);
};

/* What the source's caps are made from; NULL: nothing is known yet. */
void gst_vidgen_pad_src_set_model (GstVidgenPadSrc *src, VidgenModel *model);
/* A reference, or NULL before one is opened. */
VidgenModel *gst_vidgen_pad_src_ref_model (GstVidgenPadSrc *src);

/* Set while the source is READY only. `comment` goes into the tags. */
void gst_vidgen_pad_src_set_session (
    GstVidgenPadSrc *src, VidgenSession *session, const char *comment);
/* Of the streaming thread; not a reference. */
VidgenSession *gst_vidgen_pad_src_get_session (GstVidgenPadSrc *src);

/* Takes the next slot, when its time has come if the session is live, and
 * sends a TAG event ahead of a new prompt. */
GstFlowReturn gst_vidgen_pad_src_take (GstVidgenPadSrc *src, VidgenSlot *slot);

/* As gst_element_send_event(), but without the state lock, which a change of
 * state holds while it waits for streaming threads. */
gboolean gst_vidgen_pad_src_send_event (GstVidgenPadSrc *src, GstEvent *event);

/* Running time now; 0 without a clock. */
GstClockTime gst_vidgen_running_time (GstElement *element);

G_END_DECLS
