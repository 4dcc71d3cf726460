/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Sends what a pipeline encodes to an RTMP server, by a pipeline of its own
 * that is built anew whenever the connection is lost, after pauses that grow
 * from 1 to 15 s; the encoding pipeline goes on meanwhile and what it makes is
 * dropped. A connection is made once there are picture and sound to send, and
 * begins with a key frame and the sound from there on. A server that falls 15 s
 * behind counts as lost.
 * Made, used and freed in the thread of the default main context, which has to
 * run for connections to be made.
 */
typedef struct _VidgenSender VidgenSender;

/* `pipeline` has two appsinks: "picture" with H.264 (avc, whole pictures) and
 * "sound" with AAC (raw). It has to be in the NULL state now and when the
 * sender is freed. Its bus gets a WARNING for each loss, an INFO for each
 * success after one, and the ERROR of a first connection that fails.
 */
VidgenSender *vidgen_sender_new (GstElement *pipeline, const char *url);
/* Starts to connect, once. Errors: an element that is missing. */
gboolean vidgen_sender_start (VidgenSender *sender, GError **error);
/* Sends what is left and closes the stream, where there is a connection: after
 * the pipeline's end. Gives up after 10 s.
 */
void vidgen_sender_finish (VidgenSender *sender);
void vidgen_sender_free (VidgenSender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenSender, vidgen_sender_free)

G_END_DECLS
