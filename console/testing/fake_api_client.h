// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A server in memory for tests of the console's commands: answers by method.
#ifndef FAIRLEAD_CONSOLE_TESTING_FAKE_API_CLIENT_H_
#define FAIRLEAD_CONSOLE_TESTING_FAKE_API_CLIENT_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "console/api_client.h"

namespace fairlead::console {

// Thread: one at a time.
class FakeApiClient : public ApiClient {
 public:
  FakeApiClient() : ApiClient(kCallTimeout) {}

  // What "DeviceService.GetDevice" and the like answer.
  template <typename Request, typename Response>
  void Answer(const std::string& method,
              std::function<absl::Status(const Request&, Response&)> answer) {
    answers_["fairlead.v1." + method] = [answer = std::move(answer)](
                                            const google::protobuf::Message& request,
                                            google::protobuf::Message* response) {
      return answer(dynamic_cast<const Request&>(request), dynamic_cast<Response&>(*response));
    };
  }

  absl::Status CallWithin(absl::Duration /*timeout*/, absl::string_view method,
                          absl::string_view /*token*/, const google::protobuf::Message& request,
                          google::protobuf::Message* response) override {
    calls_.emplace_back(method);
    const auto answer = answers_.find(std::string(method));
    if (answer == answers_.end()) {
      return absl::UnimplementedError(absl::StrCat("no answer to ", method));
    }
    return answer->second(request, response);
  }

  // The methods called, in order.
  const std::vector<std::string>& calls() const { return calls_; }

 private:
  std::map<std::string, std::function<absl::Status(const google::protobuf::Message&,
                                                   google::protobuf::Message*)>>
      answers_;
  std::vector<std::string> calls_;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TESTING_FAKE_API_CLIENT_H_
