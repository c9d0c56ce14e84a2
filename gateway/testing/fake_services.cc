// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See fake_services.h.
#include "gateway/testing/fake_services.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "proto/error.pb.h"

namespace fairlead::gateway {
namespace {

// The number behind `prefix`, or -1.
int NumberAfter(absl::string_view name, absl::string_view prefix) {
  int number = -1;
  if (!absl::ConsumePrefix(&name, prefix) || !absl::SimpleAtoi(name, &number)) return -1;
  return number;
}

std::string Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return "";
  return std::string(found->second.data(), found->second.size());
}

// Ends when the client cancels, or its deadline passes.
class SlowReactor : public grpc::ServerUnaryReactor {
 public:
  explicit SlowReactor(FakeSessions* owner) : owner_(owner) { ++owner_->started; }
  void OnCancel() override {
    ++owner_->cancelled;
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  FakeSessions* const owner_;
};

// Writes numbered sessions, one after the other.
class CountingReactor : public grpc::ServerWriteReactor<v1::Session> {
 public:
  CountingReactor(FakeSessions* owner, int count, grpc::Status end)
      : owner_(owner), count_(count), end_(std::move(end)) {
    ++owner_->started;
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End(grpc::Status::CANCELLED);
    ++owner_->written;
    Next();
  }
  void OnCancel() override {
    ++owner_->cancelled;
    End(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    // -1 counts for ever.
    if (number_ == count_) return End(end_);
    session_.set_name(absl::StrCat("sessions/", number_++));
    session_.set_reason(std::string(100, 'r'));
    StartWrite(&session_);
  }
  void End(const grpc::Status& status) {
    if (!ended_.exchange(true)) Finish(status);
  }

  FakeSessions* const owner_;
  const int count_;
  const grpc::Status end_;
  v1::Session session_;
  int number_ = 0;
  std::atomic<bool> ended_{false};
};

// Writes `events`, then ends with OK.
class EventsReactor : public grpc::ServerWriteReactor<v1::DeviceEvent> {
 public:
  explicit EventsReactor(std::vector<v1::DeviceEvent> events) : events_(std::move(events)) {
    Next();
  }
  void OnWriteDone(bool) override { Next(); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (written_ == events_.size()) return Finish(grpc::Status::OK);
    StartWrite(&events_[written_++]);
  }

  const std::vector<v1::DeviceEvent> events_;
  std::size_t written_ = 0;
};

}  // namespace

grpc::Status FailureFor(const std::string& name) {
  const int wait = NumberAfter(name, "sessions/wait-");
  const int code = wait >= 0 ? grpc::RESOURCE_EXHAUSTED : NumberAfter(name, "sessions/code-");
  if (code < 0) return grpc::Status::OK;
  v1::ErrorInfo info;
  info.set_reason("FAKE_REASON");
  info.set_resource(name);
  v1::Status details;
  details.add_details()->PackFrom(info);
  if (wait >= 0) {
    v1::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(wait / 1000);
    retry.mutable_retry_delay()->set_nanos(wait % 1000 * 1'000'000);
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(code),
                      absl::StrCat("code ", code, " on ", name), details.SerializeAsString());
}

void FakeSessions::See(const grpc::CallbackServerContext& context) {
  absl::MutexLock lock(&mutex_);
  last_ = {context.peer(), Metadata(context, "authorization"),
           Metadata(context, "x-fairlead-peer-address")};
}

SeenCall FakeSessions::last() const {
  absl::MutexLock lock(&mutex_);
  return last_;
}

grpc::ServerUnaryReactor* FakeSessions::CreateSession(grpc::CallbackServerContext* context,
                                                      const v1::CreateSessionRequest* request,
                                                      v1::Session* response) {
  See(*context);
  response->set_name("sessions/1");
  response->set_device(request->device());
  response->set_reason(
      absl::StrCat(request->reason(), " ", request->columns(), "x", request->rows()));
  response->set_flow(v1::Session::OS12_DIRECT);
  response->mutable_end()->set_bytes_to_console(9007199254740993);
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* FakeSessions::GetSession(grpc::CallbackServerContext* context,
                                                   const v1::GetSessionRequest* request,
                                                   v1::Session* response) {
  See(*context);
  if (request->name() == "sessions/slow") return new SlowReactor(this);
  response->set_name(request->name());
  auto* reactor = context->DefaultReactor();
  reactor->Finish(FailureFor(request->name()));
  return reactor;
}

grpc::ServerUnaryReactor* FakeSessions::ListSessions(grpc::CallbackServerContext* context,
                                                     const v1::ListSessionsRequest* request,
                                                     v1::ListSessionsResponse* response) {
  See(*context);
  for (int i = 0; i < request->page_size(); ++i) {
    response->add_sessions()->set_name(absl::StrCat("sessions/", i));
  }
  response->set_next_page_token(absl::StrCat(request->filter(), "/", request->page_token()));
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<v1::Session>* FakeSessions::WatchSession(
    grpc::CallbackServerContext* context, const v1::WatchSessionRequest* request) {
  See(*context);
  const std::string& name = request->name();
  absl::string_view text = name;
  if (absl::ConsumePrefix(&text, "sessions/text-")) {
    std::string message;
    for (int i = 0; i < 200; ++i) absl::StrAppend(&message, text);
    return new CountingReactor(this, 0, grpc::Status(grpc::INTERNAL, message));
  }
  if (absl::StartsWith(name, "sessions/code-")) {
    return new CountingReactor(this, 1, FailureFor(name));
  }
  return new CountingReactor(this, NumberAfter(name, "sessions/count-"), grpc::Status::OK);
}

grpc::ServerWriteReactor<v1::DeviceEvent>* FakeDevices::WatchDevices(
    grpc::CallbackServerContext*, const v1::WatchDevicesRequest* request) {
  v1::DeviceEvent device;
  device.set_type(v1::DeviceEvent::UPDATED);
  device.mutable_device()->set_name(request->filter());
  v1::DeviceEvent complete;
  complete.set_type(v1::DeviceEvent::SNAPSHOT_COMPLETE);
  if (!request->changes_only()) return new EventsReactor({device, complete});
  complete.set_device_count(1);
  return new EventsReactor({complete});
}

}  // namespace fairlead::gateway
