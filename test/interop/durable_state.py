"""Microsoft's own classes at work on state documents: reads a JSON request from stdin, writes a JSON answer to stdout.

`rewrite`: documents by name, which are read and written again.
`go_on`:   documents by name, whose messages are all replayed to an agent, for one more turn.
`create`:  whether to make documents: by running agents, and from messages of every kind.
"""

import asyncio
import json
import logging
import sys
from datetime import datetime, timezone

from agent_framework import (
    Agent,
    AgentResponse,
    BaseChatClient,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
)
from agent_framework_durabletask._durable_agent_state import (
    DurableAgentState,
    DurableAgentStateRequest,
    DurableAgentStateResponse,
)
from agent_framework_durabletask._entities import AgentEntity, AgentEntityStateProviderMixin
from agent_framework_durabletask._models import RunRequest
from pydantic import BaseModel


class ScriptedClient(FunctionInvocationLayer, BaseChatClient):
    """A model that says what it was told to: replies in order, the last one again and again."""

    def __init__(self, *replies):
        super().__init__()
        self.replies = list(replies)
        self.heard = []

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        if stream:
            raise TypeError("This model does not stream.")
        return self._answer(messages)

    async def _answer(self, messages):
        self.heard.append(list(messages))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return ChatResponse(
            messages=[Message("assistant", reply)],
            created_at="2026-01-15T09:32:14.123456+00:00",
            usage_details={
                "input_token_count": 10,
                "output_token_count": 5,
                "total_token_count": 15,
                "openai.reasoning_tokens": 64,
            },
        )


class Provider(AgentEntityStateProviderMixin):
    def __init__(self, state):
        self.stored = state

    def _get_state_dict(self):
        return self.stored

    def _set_state_dict(self, state):
        self.stored = json.loads(json.dumps(state))

    def _get_session_id_from_entity(self):
        return "session-1"


class Forecast(BaseModel):
    city: str
    rain: bool


def forecast(city: str, days: int = 1) -> dict:
    """The weather of the next days."""
    return {"city": city, "days": days, "rain": True, "mm": 12.5}


def broken(city: str) -> str:
    """Never works."""
    raise RuntimeError(f"no station in {city}")


async def take_turns(state, client, *requests):
    agent = Agent(client, "Help.", name="weather", tools=[forecast, broken])
    provider = Provider(state)
    for request in requests:
        # Each turn begins from what was stored, as in another process.
        provider._state_cache = None
        await AgentEntity(agent, state_provider=provider).run(request)
    return json.dumps(provider.stored)


def call(call_id, name, arguments):
    return Content.from_function_call(call_id=call_id, name=name, arguments=json.dumps(arguments))


def every_content():
    return [
        Content.from_text("Grüße 🌧 <&>'\"\\"),
        Content.from_data(b"\x89PNG", "image/png"),
        Content.from_uri("https://example.com/a.pdf", media_type="application/pdf"),
        Content.from_error(message="boom", error_code="E1", error_details="at 1"),
        Content.from_error(message="boom"),
        call("c1", "forecast", {"city": "Oslo", "n": 9007199254740993, "f": 1.0, "deep": [None, {"a": {}}]}),
        Content.from_function_call(call_id="c2", name="forecast", arguments=""),
        Content.from_function_call(call_id="c3", name="forecast", arguments="{broken"),
        Content.from_function_result(call_id="c1", result={"rain": True}),
        Content.from_function_result(call_id="c2", result=None),
        Content.from_hosted_file(file_id="file-1"),
        Content.from_hosted_vector_store(vector_store_id="vs-1"),
        Content.from_text_reasoning(text="Hm."),
        Content.from_usage(usage_details={"input_token_count": 1, "output_token_count": None, "cached": 3}),
        Content.from_mcp_server_tool_call(call_id="m1", tool_name="map", server_name="maps", arguments={"q": "Oslo"}),
        Content.from_function_approval_request(id="a1", function_call=call("c4", "forecast", {"city": "Oslo"})),
    ]


async def create():
    at = datetime(2026, 1, 15, 9, 32, 10, 123456, tzinfo=timezone.utc)

    def ask(correlation_id, message, **options):
        return RunRequest(message, correlation_id, created_at=at, **options)

    documents = {"empty": json.dumps(DurableAgentState().to_dict())}
    documents["a run with tool calls"] = await take_turns(
        None,
        ScriptedClient(
            [Content.from_text_reasoning(text="Two cities."), call("1", "forecast", {"city": "Oslo", "days": 2}), call("2", "broken", {"city": "Rom"})],
            [Content.from_text("Rain in Oslo.")],
            [Content.from_text("You are welcome.")],
        ),
        ask("r1", "Weather?", orchestration_id="o1"),
        ask("r2", "Thanks.", role="user", request_response_format="json", response_format=Forecast),
    )
    documents["a run that failed"] = await take_turns(None, ScriptedClient(ValueError("no credit")), ask("r1", "Weather?"))

    state = DurableAgentState()
    request = DurableAgentStateRequest.from_run_request(ask("every", "All kinds"))
    response = DurableAgentStateResponse.from_run_response(
        "every",
        AgentResponse(
            messages=[
                Message("assistant", every_content(), author_name="weather", additional_properties={"a": 1}),
                Message("tool", [Content.from_function_result(call_id="c1", result="x")]),
                Message("assistant", []),
            ],
            created_at="2026-01-15T09:32:14+05:30",
            usage_details={"input_token_count": 9007199254740993, "cache_read_input_token_count": 0},
        ),
    )
    state.data.conversation_history += [request, response]
    state.data.extension_data = {"owner": {"team": "ops", "since": 1.0}}
    documents["every kind of content"] = state.to_json()

    state = DurableAgentState("1.0.0")
    state.data.conversation_history.append(DurableAgentStateRequest(None, datetime(2026, 1, 15, 9, 32, 10), []))
    state.data.conversation_history.append(DurableAgentStateResponse("", datetime(2026, 1, 15, 9, 32, 10), []))
    documents["1.0.0, no correlation id, no offset"] = state.to_json()
    return documents


def rewrite(text):
    return DurableAgentState.from_json(text).to_json()



async def go_on(text):
    client = ScriptedClient([Content.from_text("Here I am.")])
    stored = json.loads(await take_turns(json.loads(text), client, RunRequest("Go on.", "next")))
    if stored["data"]["conversationHistory"][-1]["messages"][0]["contents"][0].get("text") != "Here I am.":
        raise RuntimeError(f"The agent could not go on: {stored['data']['conversationHistory'][-1]}")
    return json.dumps(stored)


async def main():
    asked = json.load(sys.stdin)
    answer = {"errors": {}, "rewrite": {}, "go_on": {}, "create": {}}
    if asked.get("create"):
        answer["create"] = await create()
    for name, text in asked.get("rewrite", {}).items():
        try:
            answer["rewrite"][name] = rewrite(text)
        except Exception as error:
            answer["errors"][name] = f"{type(error).__name__}: {error}"
    for name, text in asked.get("go_on", {}).items():
        try:
            answer["go_on"][name] = await go_on(text)
        except Exception as error:
            answer["errors"][name] = f"{type(error).__name__}: {error}"
    json.dump(answer, sys.stdout)


# An agent that fails on purpose need not be heard of.
logging.disable(logging.CRITICAL)
asyncio.run(main())
