// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The link to one edge: EdgeService.Link on any gRPC channel, opened again whenever it ends. The
// server's own edge is linked in-process, an ICG over a connection that is dialled for each
// attempt. Used by Control and IcgLinks.
#ifndef FAIRLEAD_CONTROL_EDGE_LINK_H_
#define FAIRLEAD_CONTROL_EDGE_LINK_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "base/edge_dialer.h"
#include "base/executor.h"
#include "control/edge_connection.h"

namespace fairlead::control {

// Gets the channel for one attempt; may answer at once, on any thread, or never.
// Thread: called on the serial executor.
using ChannelSource = absl::AnyInvocable<void(EdgeDialer::Done)>;

// Answers each time with the same channel, at once.
ChannelSource FixedChannel(std::shared_ptr<grpc::Channel> channel);

struct EdgeLinkOptions {
  // The edge's name, as told to the observer.
  std::string edge;
  // How long a channel may take.
  absl::Duration dial_timeout = absl::Seconds(20);
  // How long the edge may then take to say hello.
  absl::Duration hello_timeout = absl::Seconds(10);
  // The wait before the link is opened again: doubled each time, with half of it random.
  absl::Duration min_backoff = absl::Milliseconds(200);
  absl::Duration max_backoff = absl::Seconds(30);
  // The most commands that wait to be sent; with one more the link is opened anew, since the edge
  // cannot keep up.
  std::size_t max_queued = 10'000;
};

// Failed attempts are told to the observer and logged: the first, and each with another reason than
// the one before, as warnings.
//
// Lifecycle: Start, Stop, destruction. One call of Link at a time; the next event is read when the
// last was handled, so that a fast edge waits instead of filling memory.
// Thread: Start and Stop from any thread but the serial executor's; Send on the serial executor, on
// which the observer is called. Lifetime: serial executor and observer outlive it.
class EdgeLink : public EdgeConnection {
 public:
  EdgeLink(ChannelSource source, Executor& serial, EdgeObserver& observer, EdgeLinkOptions options);
  // Stops.
  ~EdgeLink() override;

  void Start();

  // Ends the link for good. After it returns, the observer is not called and no call is under way;
  // a dial that still is finds nobody. `linger` is how long commands may take to reach the edge.
  void Stop(absl::Duration linger = absl::ZeroDuration());

  bool Send(const v1::EdgeCommand& command) override;

 private:
  class Stream;
  struct State;

  // Shared with tasks that may still be queued on the executor after Stop.
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EDGE_LINK_H_
